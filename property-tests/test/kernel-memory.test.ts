import * as t from '@tapeflow/autodiff'
import { type OperationInfo, operations } from '@tapeflow/autodiff/testing'
import { describe, expect, it } from 'vitest'
import { assertKernelKeepsToItsMemory } from './kernel-memory.ts'

// The samples of the matrix are too small to be multiplied in blocks, and have too few axes for three runs of them.

const operationOf = (name: string): OperationInfo['operation'] =>
  operations.find(({ operation }) => operation.name === name)!.operation

describe('working memory of large matrix products', () => {
  const sizes: readonly (readonly [m: number, k: number, n: number])[] = [
    [34, 131, 130],
    [34, 300, 61],
    [70, 33, 517],
    [130, 257, 1030],
    [33, 17, 12],
  ]
  for (const [m, k, n] of sizes) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const flags = `${transposeA ? 'transposed' : 'plain'} by ${transposeB ? 'transposed' : 'plain'}`
        it(`[${m},${k}] by [${k},${n}], ${flags}, holds what is written there`, () => {
          const most = assertKernelKeepsToItsMemory(operationOf('matmul'), () => {
            const a = t.normal(t.key(1), transposeA ? [k, m] : [m, k])
            const b = t.normal(t.key(2), transposeB ? [n, k] : [k, n])
            t.matmul(a, b, { transposeA, transposeB })
          })
          expect(most > 0).toBe(k * n > 16384 || transposeB)
        })
      }
    }
  }
})

describe('working memory of attention', () => {
  for (const [queries, keys, depth, out] of [
    [9, 131, 130, 12],
    [70, 300, 64, 33],
  ] as const) {
    it(`[${queries},${depth}] to [${keys},${depth}] holds what is written there, forward and backward`, () => {
      const attention = operationOf('scaledDotProductAttention')
      const [q, k, v] = [
        t.normal(t.key(1), [2, queries, depth]),
        t.normal(t.key(2), [2, keys, depth]),
        t.normal(t.key(3), [2, keys, out]),
      ]
      const f = ([a, b, c]: readonly t.Tensor[]): t.Tensor => t.scaledDotProductAttention(a!, b!, c!)
      // The scores of one entry of the batch, and what products of matrices take.
      const most = assertKernelKeepsToItsMemory(attention, () => f([q, k, v]))
      expect(most).toBeGreaterThanOrEqual(4 * queries * keys)
      expect(most).toBeLessThan(4 * queries * keys + 64 + 4 * 2 * (keys + 64) * (depth + 64))
      const { backward } = attention as typeof attention & { readonly backward: typeof attention }
      assertKernelKeepsToItsMemory(backward, () => t.vjp(f, [q, k, v], t.ones([2, queries, out])))
    })
  }
})

describe('working memory of reductions', () => {
  const reductions = { sum: t.sum, mean: t.mean, max: t.max }
  // Bytes of the largest temporary of each region: what the first run of axes leaves, and what the second does.
  const cases: readonly (readonly [shape: t.Shape, axis: readonly number[], bytes: number])[] = [
    [[2, 3, 5], [1, 2], 0],
    [[2, 3, 5], [0, 2], 4 * 6],
    [[2, 3, 5, 4, 7], [0, 2, 4], 4 * (2 * 3 * 5 * 4 + 2 * 3 * 4)],
    [[2, 3, 5, 4, 7], [0, 1, 3], 4 * (2 * 3 * 5 * 7)],
    [[2, 3, 2, 3, 2, 3, 2], [0, 2, 4, 6], 4 * (8 * 27 + 4 * 27)],
    [[4, 3, 0, 2, 5], [0, 2, 4], 4 * (4 * 3 * 2)],
  ]
  for (const [shape, axis, bytes] of cases) {
    it(`[${shape}] over [${axis}] is ${bytes} bytes`, () => {
      for (const [name, reduce] of Object.entries(reductions)) {
        // There is no largest of none.
        if (name === 'max' && shape.includes(0)) continue
        const call = (): t.Tensor => reduce(t.normal(t.key(3), shape), { axis })
        expect(assertKernelKeepsToItsMemory(operationOf(name), call)).toBe(bytes)
      }
    })
  }
})

describe('working memory that products of one kernel share', () => {
  // It was measured without telling which operand is transposed: the largest product then wrote beyond.
  it('holds what the gradient of attention writes', () => {
    const { backward } = operationOf('scaledDotProductAttention') as OperationInfo['operation'] & {
      backward: OperationInfo['operation']
    }
    const most = assertKernelKeepsToItsMemory(backward, () => {
      const inputs = [128, 130, 130].map((rows, i) => t.normal(t.key(i), [rows, 40]))
      t.grad((x: readonly t.Tensor[]) => t.sum(t.scaledDotProductAttention(x[0]!, x[1]!, x[2]!)))(inputs)
    })
    expect(most).toBeGreaterThan(2 * 4 * 128 * 130)
  })
})

describe('working memory of columns', () => {
  const wide = [70, 1030]
  const apart = [3, 70, 2, 5]
  // So many bytes for each of 1,024 columns, or for all of fewer in whole vectors, behind what the first run of axes leaves.
  const cases: readonly (readonly [
    name: string,
    shape: t.Shape,
    bytes: number,
    (x: t.Tensor) => t.Tensor,
  ])[] = [
    ['sum', wide, 8 * 1024, (x) => t.sum(x, { axis: 0 })],
    ['sum', [64, 1030], 0, (x) => t.sum(x, { axis: 0 })],
    ['sum', wide, 0, (x) => t.sum(x, { axis: 1 })],
    ['sum', apart, 4 * 3 * 70 * 2 + 8 * 4, (x) => t.sum(x, { axis: [1, 3] })],
    ['mean', [2, 66, 3], 8 * 4, (x) => t.mean(x, { axis: 1 })],
    ['variance', wide, 16 * 1024, (x) => t.variance(x, { axis: 0 })],
    ['variance', apart, 4 * 3 * 70 * 2 * 5, (x) => t.variance(x, { axis: [0, 3] })],
    ['std', [2, 3, 5], 16 * 8, (x) => t.std(x, { axis: 1 })],
    ['norm', wide, 0, (x) => t.norm(x, { axis: 1 })],
    ['logSumExp', apart, 4 * 70 * 2 * 3 + 12 * 140, (x) => t.logSumExp(x, { axis: [0, 3] })],
    ['softmax', wide, 12 * 1024, (x) => t.softmax(x, { axis: 0 })],
    ['logSoftmax', wide, 0, (x) => t.logSoftmax(x)],
    ['cumSum', wide, 8 * 1024, (x) => t.cumSum(x, { axis: 0 })],
    ['cumProd', [3, 5], 8 * 8, (x) => t.cumProd(x, { axis: 0, reverse: true })],
  ]
  for (const [name, shape, bytes, f] of cases) {
    it(`${name} of [${shape}], ${bytes} bytes, holds what is written there`, () => {
      const most = assertKernelKeepsToItsMemory(operationOf(name), () => f(t.normal(t.key(4), shape)))
      expect(most).toBe(bytes)
    })
  }
})
