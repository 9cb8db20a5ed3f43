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

export const asinOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'asin',
  doc: 'the angle whose sine is x',
  reference: Math.asin,
  expression: e.asin,
  vjp: (g, _, x) => mul(g, rsqrt(mul(sub(1, x), add(1, x)))),
})

/**
 * The angle whose sine is x, element by element: between -π/2 and π/2, within 0.51 ulp; NaN where |x| > 1.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient at +-1 is Infinity
 * @example
 * t.asin(t.tensor([0, 0.5])).toArray() // => [0, 0.5235987901687622]
 */
export function asin(x: Operand): Tensor {
  return applyUnary(asinOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: asinOperation,
    sample: unarySample(asin),
    domains: [{ low: -0.95, high: 0.95 }],
    ulps: 1,
    errors: unaryErrors('asin', asin),
  },
]
