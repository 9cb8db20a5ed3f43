import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type Context,
  elu,
  gelu,
  hardSigmoid,
  identity,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  type SizePreserving,
  selu,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  step,
  tanh,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: 'net' }
type Activation = SizePreserving<null, null>

const outputOf = (layer: Activation, x: number): number =>
  layer.apply(null, null, t.tensor([[x]]), ctx).y.toFloat32Array()[0]!
const slopeOf = (layer: Activation, x: number): number =>
  t
    .grad((at: t.Tensor) => t.sum(layer.apply(null, null, at, ctx).y))(t.tensor([[x]]))
    .toFloat32Array()[0]!

describe('activations', () => {
  // The subgradients that the papers and PyTorch take where there is no derivative.
  test.each<[string, Activation, number, number]>([
    ['step', step(), 0, 0],
    ['step, away from 0', step(), 2, 0],
    ['identity', identity(), 0, 1],
    ['relu', relu(), 0, 0],
    ['leakyRelu', leakyRelu(0.25), 0, 0.25],
    ['elu', elu(0.5), 0, 0.5],
    ['elu, alpha 1', elu(), 0, 1],
    ['selu', selu(), 0, Math.fround(1.0507009873554805 * 1.6732632423543772)],
    ['softsign', softsign(), 0, 1],
    ['hardSigmoid, left', hardSigmoid(), -3, 0],
    ['hardSigmoid, right', hardSigmoid(), 3, 0],
    ['sigmoid, the steepest', sigmoid(), 0, 0.25],
  ])('%s has this slope where it bends', (_, layer, x, slope) => {
    expect(slopeOf(layer, x)).toBe(slope)
  })

  // What comes out far from 0, both ways.
  test.each<[string, Activation, number, number]>([
    ['step', step(), 0, 1],
    ['leakyRelu', leakyRelu(), -1, 100],
    ['elu', elu(0.5), -0.5, 100],
    ['selu', selu(), -1.7580993408473766, 100 * 1.0507009873554805],
    ['gelu', gelu(), -0, 100],
    ['gelu, tanh', gelu({ approximate: 'tanh' }), -0, 100],
    ['silu', silu(), -0, 100],
    ['mish', mish(), -0, 100],
    ['softplus', softplus(), 0, 100],
    ['softsign', softsign(), -100 / 101, 100 / 101],
    ['hardSigmoid', hardSigmoid(), 0, 1],
    ['tanh', tanh(), -1, 1],
    ['sigmoid', sigmoid(), 0, 1],
  ])('%s has these ends', (_, layer, low, high) => {
    expect(outputOf(layer, -100)).toBeCloseTo(low, 6)
    expect(outputOf(layer, 100)).toBeCloseTo(high, 5)
  })

  // As the doc comments say: the smallest value, and where.
  test.each<[string, Activation, number, number]>([
    ['gelu', gelu(), -0.7518, -0.16998],
    ['silu', silu(), -1.2785, -0.27847],
    ['mish', mish(), -1.1924, -0.30884],
  ])('%s dips to there', (_, layer, x, smallest) => {
    const grid = t.linspace(-6, 6, 24001)
    const values = layer.apply(null, null, t.expandDims(grid, 1), ctx).y.toFloat32Array()
    const least = values.reduce((a, b) => Math.min(a, b))
    expect(least).toBeCloseTo(smallest, 4)
    expect(Math.abs(grid.toFloat32Array()[values.indexOf(least)]! - x)).toBeLessThan(5e-3)
  })

  test('selu keeps mean 0 and variance 1 through a layer of LeCun normal weights', () => {
    const x = t.normal(t.key(1), [500, 200])
    const weight = t.mul(t.normal(t.key(2), [200, 200]), Math.sqrt(1 / 200))
    const { y } = selu().apply(null, null, t.matmul(x, weight), ctx)
    expect(Math.abs(t.mean(y).item())).toBeLessThan(0.05)
    expect(Math.abs(t.variance(y).item() - 1)).toBeLessThan(0.1)
  })

  test('identity gives the same tensor', () => {
    const x = t.ones([2, 3])
    expect(identity().apply(null, null, x, ctx).y).toBe(x)
  })

  test('softmax sums to 1 along the last axis, and logSoftmax is its logarithm, finite at extremes', () => {
    const x = t.tensor([
      [0, 1000, -1000],
      [3, 1, 2],
    ])
    const y = softmax().apply(null, null, x, ctx).y
    for (const sum of t.sum(y, { axis: -1 }).toFloat32Array()) expect(sum).toBeCloseTo(1, 6)
    expect(logSoftmax().apply(null, null, x, ctx).y.toArray()).toMatchObject([[-1000, 0, -2000], {}])
  })

  test('softmax and logSoftmax refuse samples without features', () => {
    for (const [name, layer] of [
      ['softmax', softmax()],
      ['logSoftmax', logSoftmax()],
    ] as const) {
      expect(() => layer.init(t.key(1), [])).toThrow(
        refusal(RangeError, `${name}: samples must have features, got scalars; give them an axis: [1]`),
      )
      expect(() => layer.apply(null, null, t.ones([3]), ctx)).toThrow(
        refusal(
          RangeError,
          `${name}: the layer at 'net' takes batches of features, got an input of rank 1; pass [rows, …, features]`,
        ),
      )
    }
  })

  test('refuse options out of range when they are made', () => {
    expect(() => leakyRelu(Number.NaN)).toThrow(
      refusal(RangeError, 'leakyRelu: slope must be a finite number, got NaN; 0.01 is usual'),
    )
    // @ts-expect-error a text is no slope
    expect(() => leakyRelu('steep')).toThrow(
      refusal(RangeError, 'leakyRelu: slope must be a finite number, got a string; 0.01 is usual'),
    )
    expect(() => elu(Number.POSITIVE_INFINITY)).toThrow(
      refusal(RangeError, 'elu: alpha must be a finite number, got Infinity; 1 is usual'),
    )
    // @ts-expect-error there are two forms
    expect(() => gelu({ approximate: 'fast' })).toThrow(
      refusal(TypeError, "gelu: approximate must be 'none' or 'tanh', got 'fast'"),
    )
  })

  test('go by their names in errors of sequential', () => {
    const all = [elu(), gelu(), leakyRelu(), step(), identity(), softmax()]
    expect(all.map(({ name }) => name)).toEqual(['elu', 'gelu', 'leakyRelu', 'step', 'identity', 'softmax'])
    expect(sequential(...all).init(t.key(1), [3]).outputShape).toEqual([3])
  })
})
