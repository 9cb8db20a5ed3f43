import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'

// The law matrix compares kernels with references. These numbers, worked out by hand, hold the references themselves.

const matrix = (): t.Tensor =>
  t.tensor([
    [1, -2, 3],
    [4, 5, -6],
  ])
const close = (x: t.Tensor, expected: readonly number[]): void => {
  const values = Array.from(x.toFloat32Array())
  expect(values).toHaveLength(expected.length)
  for (const [i, value] of expected.entries()) {
    if (Number.isFinite(value)) expect(values[i]).toBeCloseTo(value, 5)
    else expect(values[i]).toBe(value)
  }
}
const gradient = (f: (x: t.Tensor) => t.Tensor, at: readonly number[]): t.NestedNumbers =>
  t
    .grad((x: t.Tensor) => t.sum(f(x)))(t.tensor(at))
    .toArray()

describe('values', () => {
  const [a, b] = [
    [6, -0.5, 0],
    [2, 4, -1],
  ]
  const table: readonly [name: string, made: () => t.Tensor, expected: readonly number[]][] = [
    ['add', () => t.add(t.tensor(a), t.tensor(b)), [8, 3.5, -1]],
    ['sub', () => t.sub(t.tensor(a), t.tensor(b)), [4, -4.5, 1]],
    ['mul', () => t.mul(t.tensor(a), t.tensor(b)), [12, -2, -0]],
    ['div', () => t.div(t.tensor(a), t.tensor(b)), [3, -0.125, -0]],
    ['div by zero', () => t.div(t.tensor([1, -1, 0]), 0), [Infinity, -Infinity, NaN]],
    ['maximum', () => t.maximum(t.tensor([1, 5, NaN]), t.tensor([2, NaN, 1])), [2, NaN, NaN]],
    ['greater', () => t.greater(t.tensor([1, 2, 3, NaN]), 2), [0, 0, 1, 0]],
    ['equal', () => t.equal(t.tensor([1, 2, NaN, -0]), t.tensor([1, 3, NaN, 0])), [1, 0, 0, 1]],
    ['where', () => t.where(t.tensor([1, 0, NaN, -2]), t.tensor([1, 2, 3, 4]), 9), [1, 9, 3, 4]],
    ['neg', () => t.neg(t.tensor([1, -2])), [-1, 2]],
    ['square', () => t.square(t.tensor([3, -0.5])), [9, 0.25]],
    ['sqrt', () => t.sqrt(t.tensor([9, 2, -1])), [3, Math.SQRT2, NaN]],
    ['exp', () => t.exp(t.tensor([0, 1, -1, -Infinity])), [1, Math.E, 1 / Math.E, 0]],
    ['log', () => t.log(t.tensor([1, 10, 0, -1])), [0, Math.LN10, -Infinity, NaN]],
    ['tanh', () => t.tanh(t.tensor([0, 1, -Infinity])), [0, 0.761594, -1]],
    ['sigmoid', () => t.sigmoid(t.tensor([0, 2, -Infinity])), [0.5, 0.880797, 0]],
    ['relu', () => t.relu(t.tensor([-1, 0, 2, NaN])), [0, 0, 2, NaN]],
    ['sum of all', () => t.sum(matrix()), [5]],
    ['sum of columns', () => t.sum(matrix(), { axis: 0 }), [5, 3, -3]],
    ['sum of rows', () => t.sum(matrix(), { axis: -1 }), [2, 3]],
    ['mean of rows', () => t.mean(matrix(), { axis: 1 }), [2 / 3, 1]],
    ['mean of nothing', () => t.mean(t.zeros([0])), [NaN]],
    ['max of columns', () => t.max(matrix(), { axis: 0 }), [4, 5, 3]],
    ['max with NaN', () => t.max(t.tensor([1, NaN, 3])), [NaN]],
    [
      'argMax',
      () =>
        t.argMax(
          t.tensor([
            [1, 7, 7],
            [2, NaN, 9],
          ]),
        ),
      [1, 1],
    ],
    ['softmax', () => t.softmax(t.tensor([0, Math.log(3)])), [0.25, 0.75]],
    ['logSoftmax', () => t.logSoftmax(t.tensor([0, Math.log(3)])), [Math.log(0.25), Math.log(0.75)]],
    ['logSumExp', () => t.logSumExp(t.tensor([0, Math.log(3)])), [Math.log(4)]],
    [
      'matmul',
      () =>
        t.matmul(
          matrix(),
          t.tensor([
            [1, 0],
            [2, 1],
            [0, -1],
          ]),
        ),
      [-3, -5, 14, 11],
    ],
    ['matmul of transposed', () => t.matmul(matrix(), matrix(), { transposeB: true }), [14, -24, -24, 77]],
    [
      'matmul of a batch and a vector',
      () => t.matmul(t.reshape(matrix(), [2, 1, 3]), t.tensor([1, 2, 1])),
      [0, 8],
    ],
    ['matmul of vectors', () => t.matmul(t.tensor([1, 2]), t.tensor([3, 4])), [11]],
    ['diag', () => t.diag(matrix(), { offset: 1 }), [-2, -6]],
    ['diag of a vector', () => t.diag(t.tensor([1, 2]), { offset: -1 }), [0, 0, 0, 1, 0, 0, 0, 2, 0]],
    ['diagEmbed', () => t.diagEmbed(t.tensor([1, 2])), [1, 0, 0, 2]],
    ['argSort', () => t.argSort(matrix(), { axis: 1 }), [1, 0, 2, 2, 0, 1]],
    ['argSort, descending', () => t.argSort(matrix(), { descending: true }), [2, 0, 1, 1, 0, 2]],
    ['transpose', () => t.transpose(matrix()), [1, 4, -2, 5, 3, -6]],
    ['reshape', () => t.reshape(matrix(), [3, 2]), [1, -2, 3, 4, 5, -6]],
    ['broadcastTo', () => t.broadcastTo(t.tensor([[1], [2]]), [2, 2]), [1, 1, 2, 2]],
    ['slice', () => t.slice(matrix(), [0, 1], [2, 3]), [-2, 3, 5, -6]],
    ['slice from the end', () => t.slice(t.tensor([1, 2, 3]), -2, -1), [2]],
    [
      'pad',
      () =>
        t.pad(t.tensor([[1, 2]]), [
          [0, 1],
          [1, 0],
        ]),
      [0, 1, 2, 0, 0, 0],
    ],
    ['concat', () => t.concat([matrix(), t.tensor([[7], [8]])], { axis: 1 }), [1, -2, 3, 7, 4, 5, -6, 8]],
    ['gather', () => t.gather(matrix(), t.tensor([1, 0])), [4, 5, -6, 1, -2, 3]],
    [
      'scatterAdd',
      () =>
        t.scatterAdd(
          t.tensor([
            [1, 2],
            [10, 20],
          ]),
          t.tensor([2, 2]),
          3,
        ),
      [0, 0, 0, 0, 11, 22],
    ],
    ['oneHot', () => t.oneHot(t.tensor([2, 0]), 3), [0, 0, 1, 1, 0, 0]],
  ]
  for (const [name, made, expected] of table) {
    it(`${name} gives what it gives on paper`, () => t.scope(() => close(made(), expected)))
  }
})

describe('the order of additions', () => {
  it('of scatterAdd is that of its rows: a small one is lost before large ones cancel', () => {
    const added = t.scope(() => t.scatterAdd(t.tensor([1, 1e8, -1e8]), t.tensor([0, 0, 0]), 1).toArray())
    expect(added).toEqual([0])
  })
})

describe('gradients at kinks', () => {
  it('relu has slope 0 at 0, of either sign', () => {
    expect(gradient(t.relu, [-1, -0, 0, 1])).toEqual([0, 0, 0, 1])
  })

  it('maximum gives the gradient to the first of equals, and none to the second', () => {
    expect(gradient((x) => t.maximum(x, 2), [1, 2, 3])).toEqual([0, 1, 1])
    expect(gradient((x) => t.maximum(2, x), [1, 2, 3])).toEqual([0, 0, 1])
  })

  it('max gives the gradient to the first of equals', () => {
    expect(gradient((x) => t.max(x), [1, 3, 3, 2])).toEqual([0, 1, 0, 0])
  })

  it('where gives no gradient to a NaN that is not chosen', () => {
    expect(gradient((x) => t.where(t.tensor([1, 0]), x, 0), [4, Number.NaN])).toEqual([1, 0])
  })
})
