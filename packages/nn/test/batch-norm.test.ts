import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type BatchNormState,
  batchNorm,
  type Context,
  linear,
  type ParamsOf,
  type StateOf,
  sequential,
} from '../src/index.ts'
import { expectClose, refusal, rowsOf, sample } from './float64.ts'

const training: Context = { training: true, path: '' }
const inference: Context = { training: false, path: '' }

const column = (values: readonly number[], width: number, j: number): number[] =>
  rowsOf([...values], width).map((row) => row[j]!)
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const variance = (values: readonly number[]): number => mean(values.map((x) => (x - mean(values)) ** 2))

describe('batchNorm', () => {
  const [rows, features] = [7, 3]
  const values = sample(t.key(1), rows * features)
  const x = (): t.Tensor => t.tensor(values, [rows, features])
  const gamma = sample(t.key(2), features)
  const beta = sample(t.key(3), features)
  const params = (): { gamma: t.Tensor; beta: t.Tensor } => ({ gamma: t.tensor(gamma), beta: t.tensor(beta) })

  test('begins as the identity of normalised features, with averages of 0 and 1', () => {
    const { params, state, outputShape } = batchNorm().init(t.key(1), [5, 2])
    expect(params.gamma.toArray()).toEqual([1, 1])
    expect(params.beta.toArray()).toEqual([0, 0])
    expect(state.movingMean.toArray()).toEqual([0, 0])
    expect(state.movingVariance.toArray()).toEqual([1, 1])
    expect(outputShape).toEqual([5, 2])
  })

  test('normalises by the statistics of the batch while it trains, with the biased variance', () => {
    const { state } = batchNorm().init(t.key(1), [features])
    const { y } = batchNorm().apply(params(), state, x(), training)
    const expected = values.map((value, i) => {
      const own = column(values, features, i % features)
      return (
        (gamma[i % features]! * (value - mean(own))) / Math.sqrt(variance(own) + 1e-5) + beta[i % features]!
      )
    })
    expectClose(y.toFloat32Array(), expected)
  })

  test('moves its averages by momentum on the old value: after k steps they are the closed form', () => {
    for (const [unbiased, factor] of [
      [false, 1],
      [true, rows / (rows - 1)],
    ] as const) {
      const layer = batchNorm({ momentum: 0.8, unbiasedMovingVariance: unbiased })
      let { state } = layer.init(t.key(1), [features])
      for (let step = 0; step < 4; step++) state = layer.apply(params(), state, x(), training).state
      const columns = [0, 1, 2].map((j) => column(values, features, j))
      const kept = 0.8 ** 4
      expectClose(
        state.movingMean.toFloat32Array(),
        columns.map((own) => (1 - kept) * mean(own)),
      )
      expectClose(
        state.movingVariance.toFloat32Array(),
        columns.map((own) => kept + (1 - kept) * variance(own) * factor),
      )
    }
  })

  test('uses the averages at inference, and leaves them', () => {
    const layer = batchNorm({ epsilon: 0 })
    const state = { movingMean: t.tensor([1, 2, 3]), movingVariance: t.tensor([4, 1, 0.25]) }
    const made = layer.apply(params(), state, t.tensor([[3, 2, 4]]), inference)
    expect(made.state).toBe(state)
    expectClose(made.y.toFloat32Array(), [gamma[0]! + beta[0]!, beta[1]!, 2 * gamma[2]! + beta[2]!])
  })

  test('takes the axes before the last one as rows', () => {
    const { state } = batchNorm().init(t.key(1), [2, features])
    const flat = t.normal(t.key(5), [8, features])
    const made = batchNorm().apply(params(), state, t.reshape(flat, [4, 2, features]), training)
    const plain = batchNorm().apply(params(), state, flat, training)
    expect(made.y.shape).toEqual([4, 2, features])
    expect(made.y.toFloat32Array()).toEqual(plain.y.toFloat32Array())
    expect(made.state.movingMean.toArray()).toEqual(plain.state.movingMean.toArray())
  })

  test('keeps its averages over a batch without rows, and gives finite ones for a single row', () => {
    const layer = batchNorm({ unbiasedMovingVariance: true })
    const { params, state } = layer.init(t.key(1), [2])
    const none = layer.apply(params, state, t.zeros([0, 2]), training)
    expect(none.y.shape).toEqual([0, 2])
    expect(none.state.movingMean.toArray()).toEqual([0, 0])
    expect(none.state.movingVariance.toArray()).toEqual([1, 1])
    const one = layer.apply(params, state, t.tensor([[5, -5]]), training)
    expect(one.y.toArray()).toEqual([[0, 0]])
    expectClose(one.state.movingVariance.toFloat32Array(), [0.9, 0.9])
  })

  test('has right gradients, through the statistics too, in training and at inference', () => {
    const { state } = batchNorm().init(t.key(1), [features])
    for (const ctx of [training, inference]) {
      const found = checkGradient(
        (inputs: { x: t.Tensor; gamma: t.Tensor; beta: t.Tensor }) => {
          const made = batchNorm().apply(inputs, state, inputs.x, ctx)
          return [made.y, made.state.movingMean, made.state.movingVariance]
        },
        { x: x(), ...params() },
      )
      expect(found).toMatchObject({ ok: true })
    }
  })

  test('leaves gamma or beta out', () => {
    const { params, state } = batchNorm({ center: false }).init(t.key(1), [1])
    expect(t.paths(params)).toEqual(['gamma'])
    expectTypeOf(params).toEqualTypeOf<{ readonly gamma: t.Tensor }>()
    expect(t.paths(batchNorm({ scale: false }).init(t.key(1), [1]).params)).toEqual(['beta'])
    const bare = batchNorm({ scale: false, center: false, epsilon: 0 })
    const made = bare.apply(bare.init(t.key(1), [1]).params, state, t.tensor([[1], [3]]), training)
    expect(made.y.toArray()).toEqual([[-1], [1]])
    expect(bare.apply({}, state, t.tensor([[2], [3]]), inference).y.toArray()).toEqual([[2], [3]])
  })

  test('keeps the size, for the type checker', () => {
    const model = sequential(linear(4, 3), batchNorm(), linear(3, 2))
    expectTypeOf<ParamsOf<typeof model>['layers'][1]>().toEqualTypeOf<
      { readonly gamma: t.Tensor } & { readonly beta: t.Tensor }
    >()
    expectTypeOf<StateOf<typeof model>['layers'][1]>().toEqualTypeOf<BatchNormState>()
    // @ts-expect-error takes 2 features, but the layers before give 3
    expect(() => sequential(linear(4, 3), batchNorm(), linear(2, 2)).init(t.key(1), [4])).toThrow(RangeError)
    expect(model.init(t.key(1), [4]).outputShape).toEqual([2])
  })

  test('leaves nothing in the heap but what it returns', () => {
    const { state } = batchNorm().init(t.key(1), [features])
    const [own, input] = [params(), x()]
    const before = t.memory().tensors
    const made = batchNorm().apply(own, state, input, training)
    expect(t.memory().tensors - before).toBe(3)
    made.y.dispose()
    expect(batchNorm().apply(own, state, input, inference).y.shape).toEqual([rows, features])
    expect(t.memory().tensors - before).toBe(3)
  })

  test('refuses what it cannot take', () => {
    const layer = batchNorm()
    const { params, state } = layer.init(t.key(1), [2])
    const ctx: Context = { training: true, path: 'layers.1' }
    expect(() => layer.apply(params, state, t.zeros([4, 3]), ctx)).toThrow(
      refusal(
        RangeError,
        "batchNorm: the layer at 'layers.1' takes batches of 2 features, got an input of shape [4,3]; pass [rows, …, 2]",
      ),
    )
    expect(() => layer.apply(params, state, t.zeros([2]), ctx)).toThrow(
      "batchNorm: the layer at 'layers.1' takes batches of 2 features, got an input of shape [2]; pass [rows, …, 2]",
    )
    expect(() => layer.init(t.key(1), [])).toThrow(
      refusal(RangeError, 'batchNorm: samples must have features, got scalars; give them an axis: [1]'),
    )
    expect(() => batchNorm({ momentum: 1.5 })).toThrow(
      refusal(RangeError, 'batchNorm: momentum must be between 0 and 1, got 1.5'),
    )
    expect(() => batchNorm({ epsilon: -1 })).toThrow(
      refusal(RangeError, 'batchNorm: epsilon must be finite and not negative, got -1'),
    )
  })
})
