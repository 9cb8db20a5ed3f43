import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { mse, type Reduction } from '../src/index.ts'
import { centralDifferences, expectClose, refusal, rowsOf, sample } from './float64.ts'

const prediction = sample(t.key(1), 12)
const target = sample(t.key(2), 12)
const weights = [1, 0, 0.5, 3]

/** The definition, in double precision. */
function reference(
  p: readonly number[],
  y: readonly number[],
  reduction: Reduction,
  weights?: number[],
): number[] {
  const losses = rowsOf(p, 3).map((row, i) => {
    const squares = row.map((value, k) => (value - y[i * 3 + k]!) ** 2)
    return (squares.reduce((a, b) => a + b, 0) / 3) * (weights?.[i] ?? 1)
  })
  if (reduction === 'none') return losses
  const sum = losses.reduce((a, b) => a + b, 0)
  return [reduction === 'sum' ? sum : sum / (weights ?? [1, 1, 1, 1]).reduce((a, b) => a + b, 0)]
}

describe('mse', () => {
  for (const reduction of ['mean', 'sum', 'none'] as const) {
    for (const given of [undefined, weights]) {
      test(`agrees with its definition in double precision: ${reduction}, ${given ? 'weighted' : 'unweighted'}`, () => {
        const w = given && t.tensor(given)
        const expected = reference(prediction, target, reduction, given)
        for (const shape of [
          [4, 3],
          [4, 3, 1],
          [4, 1, 3],
        ]) {
          const loss = mse({ reduction })(t.tensor(prediction, shape), t.tensor(target, shape), w)
          expect(loss.shape).toEqual(reduction === 'none' ? [4] : [])
          expectClose(loss.toFloat32Array(), expected)
        }
      })
    }
  }

  test('takes one number a sample, with or without an axis for it', () => {
    const [p, y] = [t.tensor([1, 2]), t.tensor([3, 1])]
    expect(mse()(p, y).item()).toBe(2.5)
    expect(mse({ reduction: 'none' })(p, y).toArray()).toEqual([4, 1])
    expect(mse()(t.reshape(p, [2, 1]), t.reshape(y, [2, 1]), t.tensor([3, 1])).item()).toBe(3.25)
  })

  test('has the gradient 2 (prediction - target) / elements, which is that of central differences', () => {
    const byHand = prediction.map((p, i) => (2 * (p - target[i]!)) / 12)
    expectClose(
      byHand,
      centralDifferences((p) => reference(p, target, 'mean')[0]!, prediction),
      1e-9,
    )
    const inputs = { p: t.tensor(prediction, [4, 3]), y: t.tensor(target, [4, 3]) }
    const gradients = t.grad(({ p, y }: typeof inputs) => mse()(p, y))(inputs)
    expectClose(gradients.p.toFloat32Array(), byHand)
    expectClose(
      gradients.y.toFloat32Array(),
      byHand.map((g) => -g),
    )
  })

  test('has the gradients of central differences with weights', () => {
    for (const reduction of ['mean', 'sum'] as const) {
      const inputs = { p: t.tensor(prediction, [4, 3]), w: t.tensor(weights) }
      const gradients = t.grad(({ p, w }: typeof inputs) =>
        mse({ reduction })(p, t.tensor(target, [4, 3]), w),
      )(inputs)
      const byPrediction = centralDifferences((p) => reference(p, target, reduction, weights)[0]!, prediction)
      const byWeight = centralDifferences((w) => reference(prediction, target, reduction, w)[0]!, weights)
      expectClose(gradients.p.toFloat32Array(), byPrediction)
      expectClose(gradients.w.toFloat32Array(), byWeight)
    }
  })

  test('leaves out rows of weight 0, even of infinite loss', () => {
    const p = t.tensor([[1e30], [3]])
    const loss = (p: t.Tensor): t.Tensor => mse()(p, t.tensor([[0], [1]]), t.tensor([0, 2]))
    const { value, gradients } = t.valueAndGrad(loss)(p)
    expect(value.item()).toBe(4)
    expect(gradients.toFloat32Array()).toEqual(Float32Array.of(0, 4))
  })

  test('refuses shapes that differ, also where they would broadcast', () => {
    expect(() => mse()(t.ones([2, 1]), t.ones([2]))).toThrow(
      refusal(
        RangeError,
        'mse: prediction and target must have one shape, got [2,1] and [2]; reshape one of them',
      ),
    )
    expect(() => mse()(t.tensor(1), t.tensor(1))).toThrow(
      refusal(RangeError, 'mse: the prediction must be [rows, …], got []; reshape it to [1]'),
    )
    expect(() => mse()(t.ones([2]), t.ones([2]), t.ones([3]))).toThrow(
      refusal(
        RangeError,
        'mse: the weights must have shape [2], got [3]; pass one number for each row of the prediction',
      ),
    )
  })

  test('refuses what is no tensor and options that do not exist', () => {
    // @ts-expect-error a number is no tensor
    expect(() => mse()(1, t.ones([1]))).toThrow(
      refusal(TypeError, 'mse: the prediction must be a tensor, got a number; wrap arrays in t.tensor'),
    )
    // @ts-expect-error no such reduction
    expect(() => mse({ reduction: 'max' })).toThrow(
      refusal(TypeError, "mse: the reduction must be 'mean', 'sum' or 'none', got 'max'"),
    )
  })
})
