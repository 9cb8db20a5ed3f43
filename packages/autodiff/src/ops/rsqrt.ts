import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

export const rsqrtOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'rsqrt',
  doc: '1 / sqrt(x)',
  reference: (x) => 1 / Math.sqrt(x),
  expression: (x) => e.div(e.constant(1), e.sqrt(x)),
  vjp: (g, y, x) => div(mul(g, mul(y, -0.5)), x),
})

/**
 * The reciprocal of the square root, element by element: 1 / √x, within 1.5 ulp; NaN below 0, Infinity at 0, 0 at Infinity.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient is -1 / (2 x √x)
 * @example
 * t.rsqrt(t.tensor([4, 16])).toArray() // => [0.5, 0.25]
 */
export function rsqrt(x: Operand): Tensor {
  return applyUnary(rsqrtOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: rsqrtOperation,
    sample: unarySample(rsqrt),
    domains: [{ low: 0.05, high: 9 }],
    ulps: 2,
    errors: unaryErrors('rsqrt', rsqrt),
  },
]
