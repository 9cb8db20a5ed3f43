import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const lessOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'less',
  doc: '1 where a < b, else 0',
  reference: (a, b) => (a < b ? 1 : 0),
  expression: (a, b) => e.toNumber(e.less(a, b)),
  vjp: [null, null],
})

/**
 * Where a < b, element by element: 1 or 0. Comparisons with NaN are 0. It has no gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.less(t.tensor([1, 5]), 3).toArray() // => [1, 0]
 */
export function less(a: Operand, b: Operand): Tensor {
  return applyBinary(lessOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: lessOperation,
    sample: binarySample(less),
    domains: [{ low: 0, high: 2, integer: true }],
    ulps: 0,
    errors: binaryErrors('less', less),
  },
]
