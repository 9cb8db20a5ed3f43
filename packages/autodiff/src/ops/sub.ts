import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { neg } from './neg.ts'

export const subOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'sub',
  doc: 'a - b',
  reference: (a, b) => a - b,
  expression: e.sub,
  vjp: [(g) => g, (g) => neg(g)],
})

/**
 * The difference of two tensors, element by element: a - b.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.sub(t.tensor([5, 7]), 2).toArray() // => [3, 5]
 */
export function sub(a: Operand, b: Operand): Tensor {
  return applyBinary(subOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: subOperation,
    sample: binarySample(sub),
    domains: [ordinary],
    ulps: 0,
    errors: binaryErrors('sub', sub),
  },
]
