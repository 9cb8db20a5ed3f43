import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'

export const expm1Operation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'expm1',
  doc: 'e ** x - 1',
  reference: Math.expm1,
  expression: e.expm1,
  // y + 1 would lose the digits of small derivatives.
  vjp: (g, _, x) => mul(g, exp(x)),
})

/**
 * eˣ - 1, element by element, within 2 ulp: it keeps the digits that `sub(exp(x), 1)` loses near 0.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.expm1(t.tensor([0, 1e-10])).toArray() // => [0, Math.fround(1e-10)]
 */
export function expm1(x: Operand): Tensor {
  return applyUnary(expm1Operation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: expm1Operation,
    sample: unarySample(expm1),
    domains: [ordinary],
    ulps: 2,
    errors: unaryErrors('expm1', expm1),
  },
]
