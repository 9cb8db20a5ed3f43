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

  it('of softmax give rows that sum to 1', () => {
    t.scope(() => {
      const rows = t.sum(t.softmax(t.normal(t.key(5), [3, 5000])), { axis: 1 })
      for (const total of rows.toFloat32Array()) expect(total).toBeCloseTo(1, 5)
    })
  })
})
