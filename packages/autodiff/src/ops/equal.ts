import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const equalOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'equal',
  doc: '1 where a = b, else 0',
  reference: (a, b) => (a === b ? 1 : 0),
  expression: (a, b) => e.toNumber(e.equal(a, b)),
  vjp: [null, null],
})

/**
 * Where a = b, element by element: 1 or 0. NaN equals nothing. It has no gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.equal(t.tensor([1, 3]), 3).toArray() // => [0, 1]
 */
export function equal(a: Operand, b: Operand): Tensor {
  return applyBinary(equalOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: equalOperation,
    sample: binarySample(equal),
    domains: [{ low: 0, high: 2, integer: true }],
    ulps: 0,
    errors: binaryErrors('equal', equal),
  },
]
