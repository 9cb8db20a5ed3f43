import * as t from '@tapeflow/autodiff'
import { batchNorm, dropout, linear, mse, relu, sequential } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type FitOptions,
  fit,
  lrWarmup,
  reduceLROnPlateau,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { timeTravel } from '../src/time-travel.ts'
import { eventsOf, line, modes, surface, turn, twoPoints } from './small.ts'

const model = sequential(linear(2, 6), batchNorm(), relu(), dropout(0.2), linear(6, 1))
const options = (): FitOptions => ({
  data: surface(60)
    .shuffle({ key: t.key(1) })
    .batch(8),
  validation: surface(20, 9).batch(20),
  loss: mse(),
  optimizer: adam({ learningRate: 0.05 }),
  steps: 60,
  seed: 5,
  callbacks: [lrWarmup({ steps: 12 }), reduceLROnPlateau({ patience: 1, minDelta: 0.05, factor: 0.7 })],
})
type Script = Readonly<Record<number, readonly TrainCommand[]>>

const digest = (event: TrainEvent & { type: 'step' }): string => {
  let hash = 0
  for (const word of new Uint32Array(
    Float32Array.from(t.leaves(event.weights.tree).flatMap((x) => [...(x as t.Tensor).toFloat32Array()]))
      .buffer,
  ))
    hash = (Math.imul(hash, 31) + word) | 0
  return `${event.loss} ${event.learningRate} ${hash}`
}

/** What each step was, in the order in which they were made; commands are sent when a step is made for the first time. */
async function made(
  mode: object,
  script: Script,
  more: Partial<FitOptions> = {},
): Promise<{ steps: { step: number; told: string }[]; refused: string[] }> {
  const commands = new Subject<TrainCommand>()
  const steps: { step: number; told: string }[] = []
  const refused: string[] = []
  const seen = new Set<number>()
  const monitor = (event: TrainEvent): void => {
    if (event.type === 'command' && event.refused !== undefined) refused.push(event.refused)
    if (event.type !== 'step') return
    steps.push({ step: event.step, told: digest(event) })
    if (seen.has(event.step)) return
    seen.add(event.step)
    for (const command of script[event.step] ?? []) commands.next(command)
  }
  await eventsOf(fit(model, { ...options(), ...mode, commands, monitors: [monitor], ...more }))
  return { steps, refused }
}

const asked: Script = {
  3: [{ type: 'setLearningRate', learningRate: 0.2 }],
  9: [{ type: 'setLearningRate', learningRate: null }],
  14: [{ type: 'freeze', path: 'layers.0.*' }],
  20: [{ type: 'scaleLearningRate', scale: 0.3 }],
  21: [{ type: 'unfreeze', path: 'layers.0.weight' }],
  33: [{ type: 'setLearningRate', learningRate: 0.001 }],
}
const upTo = (step: number): Script =>
  Object.fromEntries(Object.entries(asked).filter(([at]) => Number(at) < step))

describe.each(modes)('a run that is brought back, %s', (_, mode) => {
  test.each([0, 1, 8, 15, 16, 22, 37, 40])(
    'to step %i makes the steps before it again, then goes on from there',
    async (to) => {
      const before = t.memory()
      const timeTravel = { every: 7, keep: 3 }
      const back: Script = { ...asked, 40: [{ type: 'restore', from: to }] }
      const straight = await made(mode, upTo(to))
      const first = await made(mode, asked)
      const { steps, refused } = await made(mode, back, { timeTravel })
      expect(refused).toEqual([])
      expect(steps.slice(0, 41)).toEqual(first.steps.slice(0, 41))
      const again = steps.slice(41)
      const nearest = again[0]!.step
      expect(nearest).toBeLessThanOrEqual(to)
      expect(again).toEqual(straight.steps.slice(nearest))
      expect(again.slice(0, to - nearest)).toEqual(first.steps.slice(nearest, to))
      expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
    },
  )

  test('three times, and what is asked for meanwhile waits until the steps are made again', async () => {
    const commands = new Subject<TrainCommand>()
    const steps: number[] = []
    const rates: number[] = []
    const monitor = (event: TrainEvent): void => {
      if (event.type !== 'step') return
      steps.push(event.step)
      rates.push(event.learningRate)
      const at = steps.length
      if (at === 20) commands.next({ type: 'restore', from: 15 })
      // Step 14 is made again from 10 on.
      if (at === 22) {
        // The last that is not refused acts, also later.
        for (const learningRate of [5, 7, Number.NaN])
          commands.next({ type: 'setLearningRate', learningRate })
      }
      if (at === 30) commands.next({ type: 'restore', from: 13 })
      // The rate that was set at 15 belongs to the way that was left.
      if (at === 45) commands.next({ type: 'restore', from: 18 })
    }
    const more = { callbacks: [], timeTravel: { every: 10 }, steps: 30, commands, monitors: [monitor] }
    await eventsOf(fit(model, { ...options(), ...mode, ...more }))
    const range = (from: number, to: number): number[] =>
      Array.from({ length: to - from }, (_, i) => from + i)
    expect(steps).toEqual([...range(0, 20), ...range(10, 20), ...range(10, 25), ...range(10, 30)])
    expect(rates.slice(20, 25)).toEqual([0.05, 0.05, 0.05, 0.05, 0.05])
    expect(rates.slice(25, 30)).toEqual([7, 7, 7, 7, 7])
    // Back before the rate was set.
    expect(rates.slice(30)).toEqual(Array.from({ length: 35 }, () => 0.05))
  })

  test('while it is paused stops there', async () => {
    const commands = new Subject<TrainCommand>()
    const steps: number[] = []
    const subscription = fit(model, { ...options(), ...mode, commands, timeTravel: { every: 5 } }).subscribe(
      (event) => {
        if (event.type === 'step') steps.push(event.step)
        if (event.type === 'step' && event.step === 12 && steps.length === 13)
          commands.next({ type: 'pause' })
      },
    )
    await expect.poll(() => steps.at(-1)).toBe(12)
    commands.next({ type: 'restore', from: 8 })
    await expect.poll(() => steps.length).toBe(16)
    await turn()
    expect(steps.slice(13)).toEqual([5, 6, 7])
    subscription.unsubscribe()
  })
})

test('snapshots grow rarer, and the first stays', () => {
  const travel = timeTravel({ every: 2, keep: 4 })
  for (let step = 0; step < 100; step++) travel.note(step, () => ({ step }) as never)
  const kept = new Set(Array.from({ length: 100 }, (_, step) => travel.nearest(step)!.step))
  expect([...kept]).toEqual([0, 32, 64, 96])
})

test('what cannot be restored is refused, and what is no way to travel', async () => {
  const back = (from: number): Script => ({ 5: [{ type: 'restore', from }] })
  const more = { timeTravel: { every: 4 }, steps: 8 }
  expect((await made({}, back(7), more)).refused).toEqual([
    'fit: the step to restore must be one from 0 to 6, got 7',
  ])
  expect((await made({}, back(-1), more)).refused).toEqual([
    'fit: the step to restore must be one from 0 to 6, got -1',
  ])
  expect((await made({}, back(3), { steps: 8 })).refused).toEqual([
    "fit: no checkpoint '3' to restore: there is none; send { type: 'checkpoint' } first, or restore a snapshot",
  ])
  const call = (wrong: unknown) => () => fit(line, { ...twoPoints, epochs: 1, timeTravel: wrong as never })
  for (const wrong of [1, {}, { every: 0 }, { every: 1, other: 2 }]) {
    expect(call(wrong)).toThrow('fit: timeTravel must be { every } with an integer from 1 on')
  }
  expect(call({ every: 1, keep: 1 })).toThrow('fit: timeTravel needs an integer from 2 on for keep')
})
