import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { rsqrt } from './rsqrt.ts'
import { sub } from './sub.ts'

export const acosOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'acos',
  doc: 'the angle whose cosine is x',
  reference: Math.acos,
  expression: e.acos,
  vjp: (g, _, x) => neg(mul(g, rsqrt(mul(sub(1, x), add(1, x))))),
})

/**
 * The angle whose cosine is x, element by element: between 0 and π, within 0.51 ulp; NaN where |x| > 1.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient at +-1 is -Infinity
 * @example
 * t.acos(t.tensor([1, 0.5])).toArray() // => [0, 1.0471975803375244]
 */
export function acos(x: Operand): Tensor {
  return applyUnary(acosOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: acosOperation,
    sample: unarySample(acos),
    domains: [{ low: -0.95, high: 0.95 }],
    ulps: 1,
    errors: unaryErrors('acos', acos),
  },
]
