import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'

const refusal = (message: string): RangeError =>
  Object.assign(new RangeError(`einsum: ${message}`), { operation: 'einsum' })

describe('einsum', () => {
  const plain = 'ij,jk->ik'
  const table: readonly (readonly [string, t.Shape, t.Shape, number])[] = [
    [plain, [2, 3], [3, 4], 0],
    ['ij,kj->ik', [2, 3], [4, 3], 0],
    ['ji,jk->ik', [3, 2], [3, 4], 0],
    ['ij,jk->ki', [2, 3], [3, 4], 0],
    ['bij,jk->bik', [2, 3, 4], [4, 5], 0],
    ['bij,bkj->bik', [2, 3, 4], [2, 5, 4], 0],
    ['bhqd,bhkd->bhqk', [2, 2, 3, 4], [2, 2, 5, 4], 0],
    ['bqhd,bkhd->bhqk', [2, 3, 2, 4], [2, 5, 2, 4], 2],
  ]
  for (const [equation, a, b, transposes] of table) {
    it(`${equation} is one matmul, and ${transposes} transposes`, () => {
      const lines = t.scope(() => {
        const program = t.compile((x: t.Tensor, y: t.Tensor) => t.einsum(equation, x, y))
        return program.plan(t.zeros(a), t.zeros(b)).planned
      })
      expect(lines.filter((line) => line.includes('matmul'))).toHaveLength(1)
      expect(lines.filter((line) => line.includes('transpose'))).toHaveLength(transposes)
    })
  }

  const words: readonly (readonly [string, readonly t.Shape[], string])[] = [
    ['ij', [[2, 2], [2], [2]], 'one or two operands are needed, got 3; contract two at a time'],
    ['', [], 'one or two operands are needed, got 0; contract two at a time'],
    ['i$->i', [[2, 2]], "'i$->i' has an unknown character '$'; use letters, ',', '...' and '->'"],
    ['i->i->i', [[2]], "'i->i->i' has more than one '->'; write one output"],
    ['i-i', [[2]], "'i-i' has a stray '-' or '>'; write '->'"],
    ['i>', [[2]], "'i>' has a stray '-' or '>'; write '->'"],
    ['ij,jk->ik', [[2, 2]], "'ij,jk->ik' names 2 operands, got 1; separate operands by a comma"],
    ['ij->i', [[2, 2], [2]], "'ij->i' names 1 operands, got 2; separate operands by a comma"],
    [
      'i..->i',
      [[2]],
      "'i..->i' has dots that are no ellipsis in 'i..'; write '...' at most once for each operand",
    ],
    [
      '...i...->i',
      [[2]],
      "'...i...->i' has dots that are no ellipsis in '...i...'; write '...' at most once for each operand",
    ],
    [
      '....->',
      [[2]],
      "'....->' has dots that are no ellipsis in '....'; write '...' at most once for each operand",
    ],
    [
      'ij->i',
      [[2]],
      "'ij->i' names 2 axes in 'ij', got [2]; write a letter for each axis, or '...' for the rest",
    ],
    [
      'i...j->i',
      [[2]],
      "'i...j->i' names at least 2 axes in 'i...j', got [2]; write a letter for each axis, or '...' for the rest",
    ],
    [
      'ii->i',
      [[2, 3]],
      "'ii->i' has axes 'i' of sizes 2 and 3, got [2,3]; sizes of one label must be equal, or 1 in one operand",
    ],
    [
      'ii->i',
      [[1, 3]],
      "'ii->i' has axes 'i' of sizes 1 and 3, got [1,3]; sizes of one label must be equal, or 1 in one operand",
    ],
    [
      'ij,jk->ik',
      [
        [2, 3],
        [4, 2],
      ],
      "'ij,jk->ik' has axes 'j' of sizes 3 and 4, got [2,3] and [4,2]; sizes of one label must be equal, or 1 in one operand",
    ],
    [
      '...,...->...',
      [[2], [3]],
      "'...,...->...' has axes under '...' of sizes 2 and 3, got [2] and [3]; sizes of one label must be equal, or 1 in one operand",
    ],
    ['i->j', [[2]], "'i->j' has 'j' in its output only; every label of the output must be one of an operand"],
    ['i->ii', [[2]], "'i->ii' has 'i' twice in its output; use diagEmbed to write on a diagonal"],
    ['i,j->i,j', [[2], [2]], "'i,j->i,j' has a ',' in its output; write one output"],
    [
      'i...->i',
      [[2, 2]],
      "'i...->i' has axes under '...' that its output leaves out; write '...' in the output, and sum after",
    ],
    [
      'i->.i',
      [[2]],
      "'i->.i' has dots that are no ellipsis in '.i'; write '...' at most once for each operand",
    ],
  ]
  for (const [equation, shapes, message] of words) {
    it(`refuses '${equation}' of ${shapes.map(t.showShape).join(' and ')}, and takes no memory`, () => {
      t.scope(() => {
        const inputs = shapes.map((shape) => t.zeros(shape))
        const before = t.memory()
        expect(() => t.einsum(equation, ...inputs)).toThrow(refusal(message))
        expect(t.memory()).toEqual(before)
      })
    })
  }

  it('refuses what is no string, and what is no tensor', () => {
    t.scope(() => {
      expect(() => t.einsum(t.zeros([1]) as unknown as string, t.zeros([1]))).toThrow(
        "einsum: the equation must be a string, got a Tensor; write 'ij,jk->ik'",
      )
      expect(() => t.einsum('i', [1] as unknown as t.Tensor)).toThrow(
        'einsum: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      )
    })
  })
})
