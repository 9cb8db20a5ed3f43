import * as t from '@tapeflow/autodiff'
import { type Dataset, dataset } from '@tapeflow/data'
import {
  auc,
  binaryAccuracy,
  f1,
  linear,
  type Metric,
  meanAbsoluteError,
  measure,
  mse,
  r2,
  rootMeanSquaredError,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { concatMap, filter, firstValueFrom, map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  evaluate,
  fit,
  fromCheckpoint,
  type RunResult,
  type RunSnapshot,
  result,
  type TrainCommand,
  toCheckpoint,
} from '../src/index.ts'
import { eventsOf, modes, type Sample } from './small.ts'

const rows = 20
const x = t.uniformValues(t.key(1), 2 * rows, -1, 1)
const y = Float32Array.from({ length: rows }, (_, i) => (x[2 * i]! > x[2 * i + 1]! ? 1 : 0))
const data: Dataset<Sample> = dataset({
  x: { shape: [rows, 2], values: x },
  y: { shape: [rows, 1], values: y },
})
const metrics: readonly Metric[] = [
  auc(),
  auc({ curve: 'precisionRecall' }),
  binaryAccuracy(),
  f1({ average: 'macro' }),
  meanAbsoluteError(),
  rootMeanSquaredError(),
  r2(),
]
const model = linear(2, 1)
const options = { data: data.batch(4), loss: mse(), optimizer: sgd({ learningRate: 0.3 }), metrics }

describe('metrics of a run', () => {
  test.each(modes)('are over all validation data what they are over one batch of it: %s', async (_, mode) => {
    const validation = data.batch(7)
    const events = await eventsOf(fit(model, { ...options, validation, epochs: 3, ...mode }))
    const validations = events.flatMap((event) => (event.type === 'validation' ? [event.metrics] : []))
    expect(validations).toHaveLength(3)
    const end = events.at(-1)
    if (end?.type !== 'end') throw new Error('the run did not end')
    const { weight, bias } = end.result.params
    t.scope(() => {
      const params = { weight: t.fromSnapshot(weight), bias: t.fromSnapshot(bias) }
      const prediction = model.apply(params, null, t.tensor(x, [rows, 2]), { training: false, path: '' }).y
      for (const metric of metrics) {
        const whole = measure(metric, prediction, t.tensor(y, [rows, 1]))
        expect(validations.at(-1)![metric.name]).toBeCloseTo(whole, 6)
      }
    })
  })

  // Five batches an epoch: inside the second one.
  test('go on from a snapshot within an epoch as if nothing had been', async () => {
    let restored = false
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step' || restored) return []
            if (event.step === 6) return [{ type: 'checkpoint' }]
            if (event.step !== 8) return []
            restored = true
            return [{ type: 'restore', from: 'latest', what: 'all' }]
          }),
        ),
    }
    const straight = await result(fit(model, { ...options, epochs: 3 }))
    const again = await result(fit(model, { ...options, epochs: 3, callbacks: [back] }))
    expect(restored).toBe(true)
    expect(again.history.map((epoch) => epoch.metrics)).toEqual(
      straight.history.map((epoch) => epoch.metrics),
    )
    expect(Object.keys(straight.history[0]!.metrics)).toEqual(metrics.map(({ name }) => name))
  })

  describe('go on from a snapshot by their names', () => {
    /** A run after so many of its five steps an epoch, as a checkpoint has it. */
    const after = async (steps: number): Promise<RunSnapshot> => {
      const run$ = fit(model, { ...options, epochs: 3 })
      const step = await firstValueFrom(
        run$.pipe(
          filter((event) => event.type === (steps % 5 === 0 ? 'epoch' : 'step')),
          filter((event) => event.step === (event.type === 'step' ? steps - 1 : steps)),
          map((event) =>
            'snapshot' in event && typeof event.snapshot === 'function' ? event.snapshot() : null,
          ),
        ),
      )
      return fromCheckpoint(toCheckpoint(step!))
    }
    const resumed = async (
      from: RunSnapshot,
      given: readonly Metric[],
    ): Promise<RunResult<unknown, unknown>> =>
      result(fit(model, { ...options, metrics: given, epochs: 3, from }))

    test('whatever their order', async () => {
      const straight = await result(fit(model, { ...options, epochs: 3 }))
      const { history } = await resumed(await after(7), metrics.toReversed())
      expect(history.map((epoch) => epoch.metrics)).toEqual(straight.history.map((epoch) => epoch.metrics))
    })

    test('others are an error within an epoch, and no matter at its start', async () => {
      const names = metrics
        .map(({ name }) => name)
        .sort()
        .join(', ')
      const [mae, mean] = [meanAbsoluteError(), r2()]
      const others = resumed(await after(7), [mean, mae])
      await expect(others).rejects.toThrow(
        `fit: the snapshot to restore was taken within an epoch with the metrics ${names}, the run has meanAbsoluteError, r2; pass the same metrics to fit, restore parameters alone, or a snapshot of an epoch's start`,
      )
      const { history } = await resumed(await after(5), [mean, mae])
      expect(history.map((epoch) => Object.keys(epoch.metrics).length)).toEqual([7, 2, 2])
      const straight = await result(fit(model, { ...options, epochs: 3 }))
      expect(history[1]!.metrics).toMatchObject({ r2: straight.history[1]!.metrics['r2'] })
    })
  })
})

test.each([
  ['result', "metric 'odd' failed: no more than 2"],
  ['update', "step 2 of epoch 0 failed: metric 'odd' failed: no more than 2"],
] as const)('a metric that fails in %s is named', async (where, words) => {
  const failing = (count: number): number => {
    if (count > 2) throw new RangeError('no more than 2')
    return count
  }
  const same = (count: number): number => count
  const odd: Metric<number> = {
    name: 'odd',
    init: () => 0,
    update: (count) => (where === 'update' ? failing : same)(count + 1),
    result: where === 'result' ? failing : same,
  }
  await expect(result(fit(model, { ...options, metrics: [odd], epochs: 1 }))).rejects.toThrow(`fit: ${words}`)
  const weights = { params: model.init(t.key(1), [2]).params, state: null }
  const evaluated = evaluate(model, weights, { data: data.batch(1), metrics: [odd] })
  await expect(evaluated).rejects.toThrow(`evaluate: ${words.replace('step 2 of epoch 0', 'batch 2')}`)
  for (const x of t.leaves(weights.params)) x.dispose()
})
