import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const notEqualOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'notEqual',
  doc: '1 where a is not b, else 0',
  reference: (a, b) => (a !== b ? 1 : 0),
  expression: (a, b) => e.toNumber(e.notEqual(a, b)),
  vjp: [null, null],
})

/**
 * Where a and b differ, element by element: 1 or 0. NaN differs from everything, itself too. It has no gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.notEqual(t.tensor([1, 3]), 3).toArray() // => [1, 0]
 */
export function notEqual(a: Operand, b: Operand): Tensor {
  return applyBinary(notEqualOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: notEqualOperation,
    sample: binarySample(notEqual),
    domains: [{ low: 0, high: 2, integer: true }],
    ulps: 0,
    errors: binaryErrors('notEqual', notEqual),
  },
]
