import { mse } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { concatMap, of, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { fit, lrFinder, type RunSnapshot, result, type TrainCommand, type TrainEvent } from '../src/index.ts'
import { eventsOf, framewise, scripted, surface, surfaceModel, virtually } from './small.ts'

const commandsOf = concatMap((event: TrainEvent): TrainCommand[] =>
  event.type === 'command' ? [event.command] : [],
)
const rates = (events: readonly TrainEvent<unknown, unknown>[]): number[] =>
  events.flatMap((event) => (event.type === 'step' ? [Number(event.learningRate.toPrecision(6))] : []))

describe('lrFinder', () => {
  test('raises the rate by a factor from step to step, and stops after its steps', () => {
    virtually((scheduler, { expectObservable }) => {
      const finder = lrFinder({ from: 0.25, to: 4, steps: 5 })
      const run$ = scripted([8, 8, 8, 8, 8, 8, 8], { callbacks: [finder], ...framewise(scheduler) })
      expectObservable(run$.pipe(commandsOf)).toBe('-ab-c-d-e-s-|', {
        a: { type: 'setLearningRate', learningRate: 0.25 },
        b: { type: 'setLearningRate', learningRate: 0.5 },
        c: { type: 'setLearningRate', learningRate: 1 },
        d: { type: 'setLearningRate', learningRate: 2 },
        e: { type: 'setLearningRate', learningRate: 4 },
        s: { type: 'stop', reason: '5 learning rates were tried' },
      })
    })
  })

  test('gives each rate with its loss, smoothed and corrected for the start', async () => {
    const finder = lrFinder({ from: 0.25, to: 4, steps: 5, smoothing: 0.5 })
    await result(scripted([8, 7, 1, 1, 1], { callbacks: [finder] }))
    const { curve, suggestion } = finder.found()
    expect(curve).toEqual([
      { learningRate: 0.25, loss: 8, smoothedLoss: 8 },
      { learningRate: 0.5, loss: 7, smoothedLoss: 5.5 / 0.75 },
      { learningRate: 1, loss: 1, smoothedLoss: 3.25 / 0.875 },
      { learningRate: 2, loss: 1, smoothedLoss: 2.125 / 0.9375 },
      { learningRate: 4, loss: 1, smoothedLoss: 1.5625 / 0.96875 },
    ])
    // From 8 to 1 over its neighbours; smoothed, the fall comes later.
    expect(suggestion).toBe(0.5)
  })

  test('stops where the loss is far above the least, or none, and keeps that point', async () => {
    const finder = lrFinder({ from: 0.25, to: 4, steps: 5, smoothing: 0 })
    for (const [values, points] of [
      [[2, 8, 8.5, 2, 2], 3],
      [[2, Number.NaN, 2, 2, 2], 2],
      [[Number.NaN, 2, 2, 2, 2], 1],
      [[-2, 4, 4.5, 2, 2], 3],
    ] as const) {
      const { reason } = await result(scripted(values, { callbacks: [finder] }))
      expect(reason).toMatch(/^the loss diverges at a learning rate of /)
      expect(finder.found().curve).toHaveLength(points)
    }
  })

  test('suggests nothing where the loss falls nowhere, and has found nothing before a run', async () => {
    const finder = lrFinder({ from: 0.25, to: 4, steps: 5 })
    expect(() => finder.found()).toThrow(
      'lrFinder: no run has come to its end with it; run fit with it as a callback first',
    )
    await result(scripted([1, 1.5, 2], { callbacks: [finder] }))
    expect(finder.found().suggestion).toBeNull()
  })

  test.each([1, 3, 6])('goes on from a snapshot of step %i', async (at) => {
    const values = [8, 7, 6, 5, 4, 3, 2, 1]
    const finder = lrFinder({ from: 0.25, to: 32, steps: 8 })
    let from: RunSnapshot | undefined
    const straight = await eventsOf(
      scripted(values, { callbacks: [finder] }).pipe(
        tap((event) => {
          // What it keeps then knows of all steps made.
          if (event.type === 'epoch' && event.epoch === at - 1) from = event.snapshot()
        }),
      ),
    )
    const wanted = finder.found()
    expect(rates(straight)).toEqual([0.25, 0.5, 1, 2, 4, 8, 16, 32])
    const resumed = await eventsOf(
      scripted(values, { callbacks: [finder], commands: of({ type: 'restore', from: from! }) }),
    )
    expect(rates(resumed)).toEqual(rates(straight).slice(at))
    expect(finder.found()).toEqual(wanted)
  })

  test.each([
    ['sgd', sgd({ learningRate: 1 })],
    ['adam', adam()],
  ])('suggests a rate for %s that trains', async (_, optimizer) => {
    const finder = lrFinder({ from: 1e-5, to: 10 })
    const options = { data: surface(200).batch(200), loss: mse(), steps: 100 }
    await result(fit(surfaceModel, { ...options, optimizer, callbacks: [finder] }))
    const { suggestion, curve } = finder.found()
    expect(curve.length).toBeLessThan(100)
    const chosen = { type: 'setLearningRate', learningRate: suggestion } as const
    const { history } = await result(fit(surfaceModel, { ...options, optimizer, commands: of(chosen) }))
    expect(history.at(-1)!.loss).toBeLessThan(0.6 * history[0]!.loss)
  })

  test.each<[string, object]>([
    ['lrFinder: from must be a rate above 0, got 0', { from: 0 }],
    ['lrFinder: to must be a rate above from, got 0.1', { from: 0.1, to: 0.1 }],
    ['lrFinder: steps must be an integer from 3 on, got 2', { steps: 2 }],
    ['lrFinder: smoothing must be a number from 0 to below 1, got 1', { smoothing: 1 }],
    ['lrFinder: divergence must be a number above 1, got 1', { divergence: 1 }],
  ])('%s', (message, options) => {
    expect(() => lrFinder(options)).toThrow(expect.objectContaining({ message }))
  })
})
