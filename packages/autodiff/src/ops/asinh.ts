import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { hypot } from './hypot.ts'

export const asinhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'asinh',
  doc: 'log(x + sqrt(x * x + 1))',
  reference: Math.asinh,
  expression: e.asinh,
  vjp: (g, _, x) => div(g, hypot(x, 1)),
})

/**
 * The number whose hyperbolic sine is x, element by element: ln(x + √(x² + 1)), within 0.51 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.asinh(t.tensor([0, 1])).toArray() // => [0, 0.8813735842704773]
 */
export function asinh(x: Operand): Tensor {
  return applyUnary(asinhOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: asinhOperation,
    sample: unarySample(asinh),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('asinh', asinh),
  },
]
