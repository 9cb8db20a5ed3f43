import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'

export const log1pOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'log1p',
  doc: 'ln(1 + x)',
  reference: Math.log1p,
  expression: e.log1p,
  vjp: (g, _, x) => div(g, add(x, 1)),
})

/**
 * ln(1 + x), element by element, within 2 ulp: it keeps the digits that `log(add(x, 1))` loses near 0. -Infinity at -1, NaN
 * below.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.log1p(t.tensor([0, 1e-10])).toArray() // => [0, Math.fround(1e-10)]
 */
export function log1p(x: Operand): Tensor {
  return applyUnary(log1pOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: log1pOperation,
    sample: unarySample(log1p),
    domains: [{ low: -0.9, high: 9 }],
    ulps: 2,
    errors: unaryErrors('log1p', log1p),
  },
]
