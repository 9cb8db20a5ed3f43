import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const signOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sign',
  doc: '1 above 0, -1 below, else x',
  reference: Math.sign,
  expression: (x) =>
    e.select(
      e.greater(e.abs(x), e.constant(0)),
      e.fromBits(e.or(e.and(e.bits(x), e.integer(0x80000000)), e.bits(e.constant(1)))),
      x,
    ),
  vjp: null,
})

/**
 * The sign, element by element: 1 above 0, -1 below. 0 stays 0, -0 stays -0 (in NumPy it becomes 0), NaN stays NaN. Its gradient
 * is 0 everywhere.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.sign(t.tensor([-2, 0, 3])).toArray() // => [-1, 0, 1]
 */
export function sign(x: Operand): Tensor {
  return applyUnary(signOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: signOperation,
    sample: unarySample(sign),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 0,
    errors: unaryErrors('sign', sign),
  },
]
