import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const stepOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'step',
  doc: '1 where x >= 0, else 0',
  reference: (x) => (Number.isNaN(x) ? x : x >= 0 ? 1 : 0),
  expression: (x) => e.select(e.equal(x, x), e.toNumber(e.greaterEqual(x, e.constant(0))), x),
  vjp: null,
})

/**
 * The unit step, element by element: 1 where x >= 0, at 0 too, else 0; NaN stays NaN (Rosenblatt 1958). Its derivative is 0
 * everywhere, at 0 too. The form with -1 and 1 is `sub(mul(step(x), 2), 1)`.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.step(t.tensor([-2, 0, 3])).toArray() // => [0, 1, 1]
 * t.sub(t.mul(t.step(t.tensor([-2, 0, 3])), 2), 1).toArray() // => [-1, 1, 1]
 */
export function step(x: Operand): Tensor {
  return applyUnary(stepOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: stepOperation,
    sample: unarySample(step),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 0,
    errors: unaryErrors('step', step),
  },
]
