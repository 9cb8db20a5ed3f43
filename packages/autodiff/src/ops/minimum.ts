import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { less } from './less.ts'
import { where } from './where.ts'

export const minimumOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'minimum',
  doc: 'min(a, b)',
  reference: Math.min,
  expression: e.minimum,
  vjp: [(g, _, a, b) => where(less(b, a), 0, g), (g, _, a, b) => where(less(b, a), g, 0)],
})

/**
 * The smaller of two tensors, element by element; NaN where either is. Where both are equal the gradient goes to the first.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.minimum(t.tensor([1, 5]), 3).toArray() // => [1, 3]
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return applyBinary(minimumOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: minimumOperation,
    sample: binarySample(minimum),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: binaryErrors('minimum', minimum),
  },
]
