import * as t from '@tapeflow/autodiff'
import {
  concatMap,
  connect,
  filter,
  lastValueFrom,
  map,
  merge,
  Observable,
  type OperatorFunction,
  tap,
  toArray,
} from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  type DiagnosticEvent,
  type FitInWorkerOptions,
  fit,
  lossSpike,
  type Model,
  type TensorRecord,
  type TrainCommand,
  type TrainEvent,
  updateRatio,
  vanishingGradient,
  weights,
} from '../src/index.ts'
import { keyToWords, mapCommand, wordsToKey } from '../src/worker/copied-tree.ts'
import { packing } from '../src/worker/packing.ts'
import { parseTravel } from '../src/worker/travel.ts'
import { unpacking } from '../src/worker/unpacking.ts'
import { twoPoints } from './small.ts'
import { onThisThread } from './worker/here.ts'

/** A run as it comes out of a worker, without one. */
function received(
  run$: Observable<TrainEvent>,
  { watch = [], every = 1 }: FitInWorkerOptions,
): Observable<TrainEvent> {
  const travel = parseTravel(watch, every)
  return new Observable((subscriber) => {
    const packed = packing(travel)
    const receive = unpacking(travel, subscriber)
    return run$.subscribe({
      next: (event) => {
        packed.add(event)
        const { batch, transfer } = packed.take()
        receive(structuredClone(batch, { transfer: [...transfer] }))
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
  })
}

describe('a diagnostic of a run in a worker', () => {
  const found = (
    diagnostic: OperatorFunction<TrainEvent, DiagnosticEvent>,
    options: FitInWorkerOptions | null,
  ): Promise<DiagnosticEvent[]> => {
    const run$ = onThisThread({ steps: 120 }, true)
    const events$ = options === null ? run$ : received(run$, options)
    return lastValueFrom(events$.pipe(diagnostic, toArray()))
  }

  test('passes over steps that came without tensors', async () => {
    // Told at the second look, whatever the ratio.
    const diagnostic = vanishingGradient({ threshold: 1e9, every: 25, window: 2 })
    const [[here], [there]] = await Promise.all([
      found(diagnostic, null),
      found(diagnostic, { watch: ['gradients'], every: 10 }),
    ])
    expect([here?.step, there?.step]).toEqual([25, 50])
  })

  test('sees all steps where it reads numbers', async () => {
    const diagnostic = lossSpike({ threshold: 0.01, window: 4 })
    const there = await found(diagnostic, { watch: ['weights'], every: 10 })
    expect(there.length).toBeGreaterThan(1)
    expect(there).toEqual(await found(diagnostic, null))
  })

  test('that compares two steps in a row finds the same where both carry weights, and else says what to do', async () => {
    const diagnostic = updateRatio({ every: 20, lowest: 1e-9, highest: 1e-8, window: 1 })
    const there = await found(diagnostic, { watch: ['weights'] })
    expect(there.length).toBeGreaterThan(1)
    expect(there).toEqual(await found(diagnostic, null))
    await expect(found(diagnostic, { watch: ['weights'], every: 10 })).rejects.toThrow(
      'updateRatio: steps that follow each other are compared, and step 1 came without tensors; pass every: 1 to fitInWorker, or diagnose in a callback of the module',
    )
  })
})

test('whoever is given a copy of what came may write into it: the next one is as it came', async () => {
  const path = 'layers.0.weight'
  const spoiled = ({ value }: TensorRecord): Float32Array => (value as t.Snapshot).values.fill(7)
  const clean: unknown[] = []
  const events$ = received(onThisThread({ steps: 2 }, true), { watch: ['weights'] }).pipe(
    connect((shared$) =>
      merge(shared$.pipe(weights(path), tap(spoiled)), shared$.pipe(weights(path))).pipe(
        tap(({ value }) => clean.push(value)),
      ),
    ),
  )
  await lastValueFrom(events$)
  const wanted = await lastValueFrom(onThisThread({ steps: 2 }).pipe(weights(path), toArray()))
  expect(clean.filter((_, i) => i % 2 === 1)).toEqual(wanted.map(({ value }) => value))

  const steps$ = received(onThisThread({ steps: 1 }), { watch: ['weights'] }).pipe(
    filter((event) => event.type === 'step'),
    map(({ weights }) => {
      const before = JSON.stringify(weights.snapshot())
      JSON.stringify(weights.snapshot(), (_, value) =>
        value instanceof Float32Array ? value.fill(7) : value,
      )
      return [before, JSON.stringify(weights.snapshot()), JSON.stringify(t.toSnapshot(weights.tree))]
    }),
  )
  const [before, after, tensors] = await lastValueFrom(steps$)
  expect(after).toBe(before)
  expect(tensors).toBe(before)
})

test('random keys in layer state are keys when they have come, and when they are sent back', async () => {
  const key = t.key(7)
  type State = { readonly noise: t.Key; readonly high: number; readonly low: number }
  const keyed: Model<{ weight: t.Tensor; first: t.Key }, State> = {
    init: () => ({
      params: { weight: t.zeros([1, 1]), first: key },
      state: { noise: key, high: 1, low: 2 },
      outputShape: [1],
    }),
    apply: ({ weight }, state, x) => ({ y: t.add(t.matmul(x, weight), t.normal(state.noise, [1])), state }),
  }
  const answer: Callback = {
    name: 'answer',
    run: (events$) =>
      events$.pipe(
        concatMap((event): TrainCommand[] =>
          event.type === 'epoch'
            ? [{ type: 'checkpoint' }, { type: 'restore', from: event.snapshot(), what: 'parameters' }]
            : [],
        ),
      ),
  }
  const run$ = fit(keyed, { ...twoPoints, epochs: 1, callbacks: [answer] })
  const events = await lastValueFrom(
    received(run$, { watch: ['weights', 'checkpoints'] }).pipe(
      tap((event) => {
        if (event.type !== 'step') return
        expect(event.weights.snapshot()).toMatchObject({ first: key })
        expect(event.weights.tree).toMatchObject({ first: key })
      }),
      toArray(),
    ),
  )
  const checkpoint = events.find((event) => event.type === 'checkpoint')
  const end = events.find((event) => event.type === 'end')
  for (const snapshot of [checkpoint?.snapshot, end?.result]) {
    expect(snapshot?.state).toStrictEqual({ noise: key, high: 1, low: 2 })
    expect(snapshot?.params).toMatchObject({ first: key })
  }
  const restored = events.find((event) => event.type === 'command' && event.command.type === 'restore')
  expect(restored).toHaveProperty('command.from.state.noise', expect.any(t.Key))
  const restore: TrainCommand = { type: 'restore', from: end!.result }
  expect(mapCommand(structuredClone(mapCommand(restore, keyToWords)), wordsToKey)).toEqual(restore)
})
