import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertPermutationEquivariant, type Law, permutationEquivariant, tensors } from '../src/index.ts'

const rows = tensors({ shape: [4, 3] })

const violation = <S>(law: Law<S>): string => {
  const { failed, errorInstance } = fc.check(law, { seed: 1 })
  expect(failed).toBe(true)
  return (errorInstance as Error).message
}

const hold = <S>(law: Law<S>): void => fc.assert(law, { numRuns: 20, seed: 1 })

describe('permutationEquivariant', () => {
  const attention = (x: t.Tensor): t.Tensor => t.scaledDotProductAttention(x, x, x)

  it('holds for what treats rows alike, whether it sees them all or one at a time', () => {
    hold(permutationEquivariant((x) => t.tanh(x), rows))
    hold(permutationEquivariant((x) => t.sub(x, t.mean(x, { axis: 0, keepDims: true })), rows))
    hold(permutationEquivariant(attention, tensors({ shape: [2, 4, 3] }), { axis: 1 }))
    hold(permutationEquivariant(attention, tensors({ shape: [2, 4, 3] }), { axis: -2 }))
  })

  it('holds along the axis that is named, with parameters fixed', () => {
    const dense = ({ x, p }: { x: t.Tensor; p: { w: t.Tensor } }): t.Tensor => t.matmul(x, p.w)
    const inputs = fc.record({ x: rows, p: fc.record({ w: tensors({ shape: [3, 2] }) }) })
    hold(permutationEquivariant(dense, inputs, { fixed: ['p'] }))
    hold(permutationEquivariant((x) => t.cumSum(x, { axis: 0 }), rows, { axis: 1 }))
  })

  it('holds for sums where outputs stay as they are', () => {
    hold(permutationEquivariant((x) => t.mean(x, { axis: 0 }), rows, { invariant: true }))
    hold(permutationEquivariant((x) => ({ most: t.max(x), size: t.norm(x) }), rows, { invariant: true }))
    // Float32 sums differ by order, what is added up does not.
    hold(permutationEquivariant((x) => t.sum(x), tensors({ shape: [300] }), { invariant: true }))
  })

  const dependent: Readonly<Record<string, (x: t.Tensor) => t.Tensor>> = {
    'the number of a row': (x) => t.mul(x, t.reshape(t.arange(4), [4, 1])),
    'the row before': (x) => t.cumSum(x, { axis: 0 }),
    'the first row': (x) => t.add(x, t.slice(x, 0, 1)),
    'a row alone': (x) => t.concat([t.zeros([1, 3]), t.slice(x, 1)]),
  }
  for (const [what, f] of Object.entries(dependent)) {
    it(`is broken by what depends on ${what}`, () => {
      expect(violation(permutationEquivariant(f, rows))).toMatch(
        /^permutationEquivariant: place \d+ of output 0, with rows in the order \[3,2,1,0\], is \S+, and should be \S+; results must not depend on which row is which\n\nimport/,
      )
    })
  }

  it('is broken by a loss that weighs rows by their place', () => {
    const weighted = (x: t.Tensor): t.Tensor => t.sum(t.mul(x, t.arange(4)))
    expect(violation(permutationEquivariant(weighted, tensors({ shape: [4] }), { invariant: true }))).toMatch(
      /assertPermutationEquivariant\(weighted, t\.tensor\(\[(0|-?1), (0|-?1), (0|-?1), (0|-?1)\]\), \{ invariant: true \}\)$/,
    )
  })

  it('says in exact words what has no rows', () => {
    t.scope(() => {
      const inputs = { w: t.ones([2]), x: t.ones([3, 2]) }
      const product = (p: typeof inputs): t.Tensor => t.mul(p.x, p.w)
      expect(() => assertPermutationEquivariant(product, inputs)).toThrow(
        "permutationEquivariant: input 'x' must have 2 rows on axis 0, got shape [3,2]; name what has none in `fixed`; where outputs have none say `invariant`",
      )
      expect(() => assertPermutationEquivariant((x) => t.sum(x), inputs.x)).toThrow(
        'permutationEquivariant: output 0 must have 3 rows on axis 0, got shape []; name what has none in `fixed`; where outputs have none say `invariant`',
      )
      expect(() => assertPermutationEquivariant(t.exp, t.tensor(1))).toThrow(
        "permutationEquivariant: input '' must have axis 0, got shape []",
      )
    })
  })
})
