import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { type Context, glorotUniform, linear, ones } from '../src/index.ts'
import { centralDifferences, expectClose, refusal, rowsOf, sample } from './float64.ts'

const ctx: Context = { training: true, path: '' }

describe('linear', () => {
  const layer = linear(3, 4)
  const [rows, inSize, outSize] = [5, 3, 4]
  const x = sample(t.key(1), rows * inSize)
  const weight = sample(t.key(2), inSize * outSize)
  const bias = sample(t.key(3), outSize)
  const cotangent = sample(t.key(4), rows * outSize)

  const reference = (x: number[], weight: number[], bias: number[]): number[] =>
    rowsOf(x, inSize).flatMap((row) =>
      bias.map((b, j) => row.reduce((sum, value, i) => sum + value * weight[i * outSize + j]!, b)),
    )
  const objective = (...at: [number[], number[], number[]]): number =>
    reference(...at).reduce((sum, y, i) => sum + y * cotangent[i]!, 0)

  test('gives xW + b, as double precision does', () => {
    const params = { weight: t.tensor(weight, [3, 4]), bias: t.tensor(bias) }
    const { y, state } = layer.apply(params, null, t.tensor(x, [5, 3]), ctx)
    expect(y.shape).toEqual([5, 4])
    expect(state).toBeNull()
    expectClose(y.toFloat32Array(), reference(x, weight, bias))
  })

  test('has the gradients x^T c, column sums of c and c W^T, which are those of central differences', () => {
    const inputs = { x: t.tensor(x, [5, 3]), weight: t.tensor(weight, [3, 4]), bias: t.tensor(bias) }
    const { gradients } = t.vjp(
      ({ x, ...params }) => layer.apply(params, null, x, ctx).y,
      inputs,
      t.tensor(cotangent, [5, 4]),
    )
    const c = rowsOf(cotangent, outSize)
    const byWeight = weight.map((_, at) => {
      const [i, j] = [Math.floor(at / outSize), at % outSize]
      return c.reduce((sum, row, r) => sum + x[r * inSize + i]! * row[j]!, 0)
    })
    const byBias = bias.map((_, j) => c.reduce((sum, row) => sum + row[j]!, 0))
    const byInput = x.map((_, at) => {
      const [r, i] = [Math.floor(at / inSize), at % inSize]
      return c[r]!.reduce((sum, value, j) => sum + value * weight[i * outSize + j]!, 0)
    })
    expectClose(gradients.weight.toFloat32Array(), byWeight)
    expectClose(gradients.bias.toFloat32Array(), byBias)
    expectClose(gradients.x.toFloat32Array(), byInput)
    expectClose(
      byWeight,
      centralDifferences((w) => objective(x, w, bias), weight),
      1e-9,
    )
    expectClose(
      byBias,
      centralDifferences((b) => objective(x, weight, b), bias),
      1e-9,
    )
    expectClose(
      byInput,
      centralDifferences((at) => objective(at, weight, bias), x),
      1e-9,
    )
  })

  test('starts with a Glorot uniform weight and a zero bias', () => {
    const { params, state, outputShape } = linear(300, 200).init(t.key(7), [300])
    const values = params.weight.toFloat32Array()
    const limit = Math.sqrt(6 / 500)
    expect(params.weight.shape).toEqual([300, 200])
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit)
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.999 * limit)
    expect(params.bias.toArray()).toEqual(new Array(200).fill(0))
    expect(state).toBeNull()
    expect(outputShape).toEqual([200])
  })

  test('draws the same parameters from the same key, others from another', () => {
    const draw = (seed: number): Float32Array => layer.init(t.key(seed), [3]).params.weight.toFloat32Array()
    expect(draw(5)).toEqual(draw(5))
    expect(draw(5)).not.toEqual(draw(6))
  })

  test('draws weight and bias from children of the key, so that no two share numbers', () => {
    const { params } = linear(3, 4, { bias: glorotUniform }).init(t.key(5), [3])
    const [weight, bias] = ['weight', 'bias'].map((name) => t.foldIn(t.key(5), name))
    expect(params.weight.toArray()).toEqual(glorotUniform(weight!, [3, 4], 3, 4).toArray())
    expect(params.bias.toArray()).toEqual(glorotUniform(bias!, [4], 3, 4).toArray())
  })

  test('can do without a bias', () => {
    const plain = linear(3, 4, { useBias: false })
    const { params } = plain.init(t.key(1), [3])
    expect(t.paths(params)).toEqual(['weight'])
    const { y } = plain.apply({ weight: t.ones([3, 4]) }, null, t.tensor([[1, 2, 3]]), ctx)
    expect(y.toArray()).toEqual([[6, 6, 6, 6]])
  })

  test('keeps leading axes: one sample, a batch, a batch of sequences, no rows', () => {
    const { params } = linear(2, 3, { weight: ones }).init(t.key(1), [2])
    const apply = (x: t.Tensor): t.Tensor => linear(2, 3).apply(params, null, x, ctx).y
    expect(apply(t.tensor([1, 2])).toArray()).toEqual([3, 3, 3])
    expect(apply(t.tensor([[[1, 2]], [[3, 4]]])).toArray()).toEqual([[[3, 3, 3]], [[7, 7, 7]]])
    expect(apply(t.zeros([0, 2])).shape).toEqual([0, 3])
  })

  test('hands its initialisers the shape and the fans', () => {
    const seen: unknown[] = []
    const initializer = (_: t.Key, shape: t.Shape, fanIn: number, fanOut: number): t.Tensor => {
      seen.push([shape, fanIn, fanOut])
      return t.zeros(shape)
    }
    linear(3, 4, { weight: initializer, bias: initializer }).init(t.key(1), [3])
    expect(seen).toEqual([
      [[3, 4], 3, 4],
      [[4], 3, 4],
    ])
  })

  test('refuses an input of another size, naming its path and both sizes', () => {
    const { params } = layer.init(t.key(1), [3])
    expect(() => layer.apply(params, null, t.ones([2, 5]), { training: true, path: 'layers.2' })).toThrow(
      refusal(
        RangeError,
        "linear: the layer at 'layers.2' takes 3 features, got an input of shape [2,5]; make the last axis 3, or change the layer's input size",
      ),
    )
    expect(() => layer.apply(params, null, t.tensor(1), ctx)).toThrow(
      refusal(
        RangeError,
        "linear: the layer takes 3 features, got an input of shape []; make the last axis 3, or change the layer's input size",
      ),
    )
    expect(() => layer.init(t.key(1), [5])).toThrow(
      refusal(
        RangeError,
        "linear: the layer takes 3 features, got samples of shape [5]; make the last axis 3, or change the layer's input size",
      ),
    )
  })

  test('refuses sizes that are no counts, and initialisers that give another shape', () => {
    expect(() => linear(0, 4)).toThrow(
      refusal(RangeError, 'linear: sizes must be integers from 1 on, got 0 and 4; count features'),
    )
    expect(() => linear(3, 4.5)).toThrow(
      refusal(RangeError, 'linear: sizes must be integers from 1 on, got 3 and 4.5; count features'),
    )
    expect(() => linear(3, 4, { bias: () => t.zeros([3]) }).init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        'linear: the bias must have shape [4], its initializer gives [3]; return the shape that is asked for',
      ),
    )
  })
})
