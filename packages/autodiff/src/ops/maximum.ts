import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { greater } from './greater.ts'
import { where } from './where.ts'

export const maximumOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'maximum',
  doc: 'max(a, b)',
  reference: Math.max,
  expression: e.maximum,
  vjp: [(g, _, a, b) => where(greater(b, a), 0, g), (g, _, a, b) => where(greater(b, a), g, 0)],
})

/**
 * The larger of two tensors, element by element; NaN where either is. Where both are equal the gradient goes to the first.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.maximum(t.tensor([1, 5]), 3).toArray() // => [3, 5]
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return applyBinary(maximumOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: maximumOperation,
    sample: binarySample(maximum),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: binaryErrors('maximum', maximum),
  },
]
