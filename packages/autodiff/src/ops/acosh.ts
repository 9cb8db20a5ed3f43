import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { rsqrt } from './rsqrt.ts'
import { sub } from './sub.ts'

export const acoshOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'acosh',
  doc: 'log(x + sqrt(x * x - 1))',
  reference: Math.acosh,
  expression: e.acosh,
  vjp: (g, _, x) => mul(g, mul(rsqrt(sub(x, 1)), rsqrt(add(x, 1)))),
})

/**
 * The number from 0 on whose hyperbolic cosine is x, element by element: ln(x + √(x² - 1)), within 0.51 ulp; NaN below 1.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient at 1 is Infinity
 * @example
 * t.acosh(t.tensor([1, 2])).toArray() // => [0, 1.316957950592041]
 */
export function acosh(x: Operand): Tensor {
  return applyUnary(acoshOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: acoshOperation,
    sample: unarySample(acosh),
    domains: [{ low: 1.05, high: 9 }],
    ulps: 1,
    errors: unaryErrors('acosh', acosh),
  },
]
