import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

export const atanhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'atanh',
  doc: 'log((1 + x) / (1 - x)) / 2',
  reference: Math.atanh,
  expression: e.atanh,
  vjp: (g, _, x) => div(g, mul(sub(1, x), add(1, x))),
})

/**
 * The number whose hyperbolic tangent is x, element by element: ln((1 + x) / (1 - x)) / 2, within 0.51 ulp; an infinity at +-1,
 * NaN beyond.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.atanh(t.tensor([0, 0.5])).toArray() // => [0, 0.5493061542510986]
 */
export function atanh(x: Operand): Tensor {
  return applyUnary(atanhOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: atanhOperation,
    sample: unarySample(atanh),
    domains: [{ low: -0.9, high: 0.9 }],
    ulps: 1,
    errors: unaryErrors('atanh', atanh),
  },
]
