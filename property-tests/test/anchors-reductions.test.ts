import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { describe, expect, it } from 'vitest'
import { assertSecondOrderIsCorrect } from '../src/index.ts'

// The law matrix compares kernels with references. These numbers, worked out by hand or by NumPy, hold the references themselves.

const matrix = (): t.Tensor =>
  t.tensor([
    [1, -2, 3],
    [4, 5, -6],
  ])
const nothing = (): t.Tensor => t.zeros([0, 2])
const gradient = (f: (x: t.Tensor) => t.Tensor, at: readonly number[]): t.NestedNumbers =>
  t
    .grad((x: t.Tensor) => t.sum(f(x)))(t.tensor(at))
    .toArray()

describe('values', () => {
  const table: readonly [name: string, made: () => t.Tensor, expected: t.NestedNumbers][] = [
    ['min of columns', () => t.min(matrix(), { axis: 0 }), [1, -2, -6]],
    ['min with NaN', () => t.min(t.tensor([1, NaN, 3])), NaN],
    ['min of zeros', () => t.min(t.tensor([0, -0])), -0],
    [
      'argMin, the first of several',
      () =>
        t.argMin(
          t.tensor([
            [3, 1, 1],
            [NaN, 0, NaN],
          ]),
        ),
      [1, 0],
    ],
    ['prod of rows', () => t.prod(matrix(), { axis: 1 }), [-6, -120]],
    ['prod of nothing', () => t.prod(nothing(), { axis: 0 }), [1, 1]],
    ['prod that comes back from beyond', () => t.prod(t.tensor([1e30, 1e30, 1e-30, 1e-30])), 1],
    ['variance', () => t.variance(t.tensor([2, 4, 4, 4, 5, 5, 7, 9])), 4],
    [
      'variance, unbiased',
      () =>
        t.variance(
          t.tensor([
            [1, 3],
            [5, 9],
          ]),
          { axis: 1, correction: 1 },
        ),
      [2, 8],
    ],
    ['variance of nothing', () => t.variance(nothing()), NaN],
    ['variance of one, unbiased', () => t.variance(t.tensor([3]), { correction: 1 }), NaN],
    [
      'variance of two with a correction of three',
      () => t.variance(t.tensor([3, 5]), { correction: 3 }),
      Infinity,
    ],
    ['variance of large numbers close together', () => t.variance(t.tensor([16777214, 16777216])), 1],
    ['variance, as float64 has it', () => t.variance(t.tensor([10000, 10001, 10002])), Math.fround(2 / 3)],
    ['std', () => t.std(t.tensor([2, 4, 4, 4, 5, 5, 7, 9])), 2],
    ['std whose square overflows', () => t.std(t.tensor([-1e30, 1e30])), Math.fround(1e30)],
    [
      'norm',
      () =>
        t.norm(
          t.tensor([
            [3, 4],
            [0, 0],
          ]),
          { axis: 1 },
        ),
      [5, 0],
    ],
    [
      'norm of huge and of tiny numbers',
      () =>
        t.norm(
          t.tensor([
            [3e30, 4e30],
            [3e-30, 4e-30],
          ]),
          { axis: 1 },
        ),
      [Math.fround(5e30), Math.fround(5e-30)],
    ],
    ['norm, order 1', () => t.norm(matrix(), { axis: 1, order: 1 }), [6, 15]],
    [
      'norm, order Infinity, kept',
      () => t.norm(matrix(), { axis: 0, order: Infinity, keepDims: true }),
      [[4, 5, 6]],
    ],
    ['norm of nothing', () => t.norm(nothing(), { order: 1 }), 0],
    [
      'any',
      () =>
        t.any(
          t.tensor([
            [0, -0],
            [0, NaN],
          ]),
          { axis: 1 },
        ),
      [0, 1],
    ],
    ['any of nothing', () => t.any(nothing(), { axis: 0 }), [0, 0]],
    [
      'all',
      () =>
        t.all(
          t.tensor([
            [1, NaN],
            [0, 2],
          ]),
          { axis: 1, keepDims: true },
        ),
      [[1], [0]],
    ],
    ['all of nothing', () => t.all(nothing(), { axis: 0 }), [1, 1]],
    [
      'cumSum',
      () => t.cumSum(matrix(), { axis: 0 }),
      [
        [1, -2, 3],
        [5, 3, -3],
      ],
    ],
    [
      'cumSum, exclusive and reverse',
      () => t.cumSum(matrix(), { exclusive: true, reverse: true }),
      [
        [1, 3, 0],
        [-1, -6, 0],
      ],
    ],
    ['cumProd', () => t.cumProd(t.tensor([2, 0, 3])), [2, 0, 0]],
    ['cumProd, exclusive', () => t.cumProd(t.tensor([2, 5, 3]), { exclusive: true }), [1, 2, 10]],
    ['linearRecurrence', () => t.linearRecurrence(t.tensor([1, 2, 3]), t.tensor([9, 2, 10])), [1, 4, 43]],
    [
      'linearRecurrence, reverse',
      () => t.linearRecurrence(t.tensor([1, 2, 3]), t.tensor([10, 2, 9]), { reverse: true }),
      [81, 8, 3],
    ],
    [
      'softmax of columns',
      () =>
        t.softmax(
          t.tensor([
            [0, 7],
            [0, -Infinity],
          ]),
          { axis: 0 },
        ),
      [
        [0.5, 1],
        [0.5, 0],
      ],
    ],
    [
      'softmax of a negative axis',
      () =>
        t.softmax(
          t.tensor([
            [0, 7],
            [0, 7],
          ]),
          { axis: -2 },
        ),
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    ],
    ['logSoftmax of columns', () => t.logSoftmax(t.tensor([[1000], [0]]), { axis: 0 }), [[0], [-1000]]],
    [
      'logSumExp of all',
      () => t.logSumExp(t.full([2, 4], 3), { axis: [0, 1] }),
      Math.fround(3 + Math.log(8)),
    ],
    [
      'logSumExp of columns, kept',
      () =>
        t.logSumExp(
          t.tensor([
            [1000, 0],
            [0, -Infinity],
          ]),
          { axis: 0, keepDims: true },
        ),
      [[1000, 0]],
    ],
    ['logSumExp of nothing', () => t.logSumExp(nothing(), { axis: 0 }), [-Infinity, -Infinity]],
  ]
  for (const [name, made, expected] of table) {
    it(`${name} gives what it gives on paper`, () =>
      t.scope(() => expect(made().toArray()).toEqual(expected)))
  }
})

describe('gradients at kinks', () => {
  it('min gives the gradient to the first of equals', () => {
    expect(gradient((x) => t.min(x), [3, 1, 1, 2])).toEqual([0, 1, 0, 0])
  })

  it('std of equal numbers has slope 0, exactly, where their mean is rounded too', () => {
    expect(gradient((x) => t.std(x), [5, 5, 5])).toEqual([0, 0, 0])
    const slopes = t
      .grad((x: t.Tensor) => t.std(x))(t.full([7], 0.1))
      .toFloat32Array()
    expect(slopes.every((slope) => slope === 0)).toBe(true)
  })

  it.each([
    [2.7132, 2.7133],
    [1000, 1000.0003],
  ])(
    'std of %s and %s, which are close, is straight: what rounds in their mean shows in no derivative',
    (a, b) => {
      const std = (x: t.Tensor): t.Tensor => t.std(x)
      expect(gradient(std, [a, b])).toEqual([-0.5, 0.5])
      expect(
        t
          .hessian(std)(t.tensor([a, b]))
          .toArray(),
      ).toEqual([
        [0, 0],
        [0, 0],
      ])
    },
  )

  it('norm has slope 0 at the zero vector, of every order', () => {
    for (const order of [1, 2, Infinity] as const) {
      expect(gradient((x) => t.norm(x, { order }), [0, 0])).toEqual([0, 0])
    }
    expect(gradient((x) => t.norm(x), [3, -4])).toEqual([Math.fround(0.6), Math.fround(-0.8)])
    expect(gradient((x) => t.norm(x, { order: Infinity }), [3, -4])).toEqual([0, -1])
  })
})

describe('products with zeros', () => {
  it('have the gradient of all others: with one zero, and with two', () => {
    expect(gradient((x) => t.prod(x), [2, 0, 5])).toEqual([0, 10, 0])
    expect(gradient((x) => t.prod(x), [0, 3, 0])).toEqual([0, 0, 0])
    expect(gradient((x) => t.cumProd(x), [2, 0, 5])).toEqual([1, 12, 0])
    expect(gradient((x) => t.cumProd(x, { reverse: true }), [2, 0, 5])).toEqual([0, 15, 1])
  })

  it('have a gradient where the product of those before overflows, and the whole does not', () => {
    const slopes = t
      .grad((x: t.Tensor) => t.prod(x))(t.tensor([1e30, 1e30, 1e-30, 1e-30]))
      .toFloat32Array()
    for (const [i, slope] of [1e-30, 1e-30, 1e30, 1e30].entries())
      expect(slopes[i]! / slope).toBeCloseTo(1, 5)
  })

  it('have right first and second derivatives', () => {
    for (const at of [
      [2, 0, 5, -1],
      [0, 3, 0, 2],
      [0, 0, 0, 2],
    ]) {
      for (const f of [
        (x: t.Tensor) => t.prod(x),
        (x: t.Tensor) => t.cumProd(x),
        (x: t.Tensor) => t.cumProd(x, { exclusive: true }),
        (x: t.Tensor) => t.cumProd(x, { exclusive: true, reverse: true }),
      ]) {
        t.scope(() => {
          expect(checkGradient(f, t.tensor(at), { tolerance: 1e-4 }).ok).toBe(true)
          assertSecondOrderIsCorrect(f, t.tensor(at), { tolerance: 1e-3 })
        })
      }
    }
  })
})
