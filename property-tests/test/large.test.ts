import * as t from '@tapeflow/autodiff'
import { operations } from '@tapeflow/autodiff/testing'
import { describe, expect, it } from 'vitest'
import { assertDeterministic, assertKernelMatchesReference, assertLeavesNoTrace } from '../src/index.ts'

// The samples of the matrix are small. These sizes reach what runs for large tensors only: blocks, scratch memory, long sums.

describe('large matrix products', () => {
  // More than 16384 elements of B, and more than 32 rows of A, are multiplied in blocks; k above 256 takes several.
  const sizes: readonly (readonly [m: number, k: number, n: number])[] = [
    [9, 131, 130],
    [34, 300, 61],
    [70, 33, 517],
  ]
  for (const [m, k, n] of sizes) {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const flags = `${transposeA ? 'transposed' : 'plain'} by ${transposeB ? 'transposed' : 'plain'}`
      it(`[${m},${k}] by [${k},${n}], ${flags}, are within k units of the sum of magnitudes`, () => {
        t.scope(() => {
          const a = t.normal(t.key(1), transposeA ? [k, m] : [m, k])
          const b = t.normal(t.key(2), transposeB ? [n, k] : [k, n])
          const product = (x: readonly t.Tensor[]): t.Tensor =>
            t.matmul(x[0]!, x[1]!, { transposeA, transposeB })
          assertKernelMatchesReference(product, [a, b], {
            ulps: k,
            scale: (_x, _y, magnitudes) => magnitudes,
          })
          assertLeavesNoTrace(product, [a, b])
          assertDeterministic(product, [a, b])
        })
      })
    }
  }
})

describe('long reductions', () => {
  const size = 100_003
  const info = (name: string): (typeof operations)[number] =>
    operations.find(({ operation }) => operation.name === name)!

  it('over all, over rows and over columns are as exact as short ones', () => {
    t.scope(() => {
      for (const shape of [[size], [7, 14287], [14287, 7]]) {
        const x = t.normal(t.key(3), shape, 1)
        for (const axis of [[0], [shape.length - 1]]) {
          assertKernelMatchesReference((y: t.Tensor) => t.sum(y, { axis }), x, info('sum'))
          assertKernelMatchesReference((y: t.Tensor) => t.mean(y, { axis }), x, info('mean'))
          assertKernelMatchesReference((y: t.Tensor) => t.max(y, { axis }), x, info('max'))
          assertKernelMatchesReference((y: t.Tensor) => t.min(y, { axis }), x, info('min'))
          assertKernelMatchesReference((y: t.Tensor) => t.variance(y, { axis }), x, info('variance'))
          assertKernelMatchesReference((y: t.Tensor) => t.norm(y, { axis }), x, info('norm'))
          assertKernelMatchesReference((y: t.Tensor) => t.cumSum(y, { axis: axis[0]! }), x, info('cumSum'))
          assertKernelMatchesReference(
            (y: t.Tensor) => t.logSumExp(y, { axis: axis[0]! }),
            x,
            info('logSumExp'),
          )
        }
      }
    })
  })

  it('over two axes apart go through scratch memory and give it back', () => {
    t.scope(() => {
      const x = t.normal(t.key(4), [40, 50, 60])
      const both = (y: t.Tensor): t.Tensor => t.sum(y, { axis: [0, 2] })
      assertKernelMatchesReference(both, x, info('sum'))
      assertLeavesNoTrace(both, x)
    })
  })

  it('over more columns than are worked on together are those of each column', () => {
    t.scope(() => {
      const x = t.normal(t.key(6), [70, 2051])
      const part = t.slice(x, [0, 1021], [70, 1029])
      const table: Readonly<Record<string, (y: t.Tensor) => t.Tensor>> = {
        sum: (y) => t.sum(y, { axis: 0 }),
        mean: (y) => t.mean(y, { axis: 0, keepDims: true }),
        min: (y) => t.min(y, { axis: 0 }),
        prod: (y) => t.prod(y, { axis: 0 }),
        variance: (y) => t.variance(y, { axis: 0 }),
        logSumExp: (y) => t.logSumExp(y, { axis: 0 }),
        softmax: (y) => t.softmax(y, { axis: 0 }),
        logSoftmax: (y) => t.logSoftmax(y, { axis: 0 }),
        cumSum: (y) => t.cumSum(y, { axis: 0 }),
        cumProd: (y) => t.cumProd(y, { axis: 0, reverse: true }),
      }
      for (const [name, f] of Object.entries(table)) {
        const whole = f(x)
        const rank = whole.rank
        const columns =
          rank === 1 ? t.slice(whole, 1021, 1029) : t.slice(whole, [0, 1021], [whole.shape[0]!, 1029])
        expect(f(part).toFloat32Array(), name).toEqual(columns.toFloat32Array())
        assertLeavesNoTrace(f, x)
      }
    })
  })

  it('of constant numbers have no variance at all, however large they are', () => {
    t.scope(() => {
      for (const value of [0.1, 1e-20, 1e30, -3e38]) {
        const x = t.full([1000, 7], value)
        expect(t.max(t.std(x, { axis: 0 })).item()).toBe(0)
        expect(t.variance(x).item()).toBe(0)
      }
    })
  })

  it('of softmax give rows that sum to 1', () => {
    t.scope(() => {
      const rows = t.sum(t.softmax(t.normal(t.key(5), [3, 5000])), { axis: 1 })
      for (const total of rows.toFloat32Array()) expect(total).toBeCloseTo(1, 5)
    })
  })
})
