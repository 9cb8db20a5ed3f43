import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { vmapByExample } from '../src/testing.ts'

describe('scratch', () => {
  it('works', () => {
    const dot = (a: t.Tensor, b: t.Tensor) => t.sum(t.mul(a, b))
    const x = t.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    for (const vmap of [t.vmap, vmapByExample]) {
      expect(vmap(dot)(x, x).toArray()).toEqual([5, 25, 61])
      expect(vmap(dot, { inAxes: [0, null] })(x, t.tensor([1, 0])).toArray()).toEqual([1, 3, 5])
      expect(vmap(t.grad(dot), { inAxes: [null, 0] })(t.tensor([0, 0]), x).toArray()).toEqual([
        [1, 2],
        [3, 4],
        [5, 6],
      ])
      expect(vmap((row: t.Tensor) => t.mul(row, 2), { inAxes: 1, outAxes: 1 })(x).toArray()).toEqual([
        [2, 4],
        [6, 8],
        [10, 12],
      ])
    }
  })
})
