import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const logicalAndOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'logicalAnd',
  doc: '1 where neither is 0, else 0',
  reference: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  expression: (a, b) => e.toNumber(e.and(e.notEqual(a, e.constant(0)), e.notEqual(b, e.constant(0)))),
  vjp: [null, null],
})

/**
 * Where both are true, element by element: 1 or 0. 0 and -0 are false, everything else is true, NaN too. It has no gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.logicalAnd(t.tensor([0, 1, 2]), t.tensor([1, 1, 0])).toArray() // => [0, 1, 0]
 */
export function logicalAnd(a: Operand, b: Operand): Tensor {
  return applyBinary(logicalAndOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logicalAndOperation,
    sample: binarySample(logicalAnd),
    domains: [{ low: 0, high: 1, integer: true }],
    ulps: 0,
    errors: binaryErrors('logicalAnd', logicalAnd),
  },
]
