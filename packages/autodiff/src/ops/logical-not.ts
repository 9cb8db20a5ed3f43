import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const logicalNotOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'logicalNot',
  doc: '1 where x is 0, else 0',
  reference: (x) => (x === 0 ? 1 : 0),
  expression: (x) => e.toNumber(e.equal(x, e.constant(0))),
  vjp: null,
})

/**
 * Where x is false, element by element: 1 or 0. 0 and -0 are false, everything else is true, NaN too. It has no gradient.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.logicalNot(t.tensor([0, 2])).toArray() // => [1, 0]
 */
export function logicalNot(x: Operand): Tensor {
  return applyUnary(logicalNotOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logicalNotOperation,
    sample: unarySample(logicalNot),
    domains: [{ low: 0, high: 1, integer: true }],
    ulps: 0,
    errors: unaryErrors('logicalNot', logicalNot),
  },
]
