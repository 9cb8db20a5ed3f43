import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const greaterEqualOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'greaterEqual',
  doc: '1 where a >= b, else 0',
  reference: (a, b) => (a >= b ? 1 : 0),
  expression: (a, b) => e.toNumber(e.greaterEqual(a, b)),
  vjp: [null, null],
})

/**
 * Where a >= b, element by element: 1 or 0. Comparisons with NaN are 0. It has no gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.greaterEqual(t.tensor([1, 3, 5]), 3).toArray() // => [0, 1, 1]
 */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return applyBinary(greaterEqualOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: greaterEqualOperation,
    sample: binarySample(greaterEqual),
    domains: [{ low: 0, high: 2, integer: true }],
    ulps: 0,
    errors: binaryErrors('greaterEqual', greaterEqual),
  },
]
