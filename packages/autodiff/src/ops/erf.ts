import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { erf as exactErf } from '../error-function.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

export const erfOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'erf',
  doc: '2 / sqrt(pi) times the integral of exp(-t ** 2) from 0 to x',
  reference: exactErf,
  expression: e.erf,
  // 2 / sqrt(pi) goes into the exponent: one operation less.
  vjp: (g, _, x) => mul(g, exp(sub(Math.log(2 / Math.sqrt(Math.PI)), square(x)))),
})

/**
 * The error function, element by element: 2/√π ∫₀ˣ exp(-t²) dt, within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`, between -1 and 1
 * @example
 * t.erf(t.tensor([0, Infinity])).toArray() // => [0, 1]
 */
export function erf(x: Operand): Tensor {
  return applyUnary(erfOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: erfOperation,
    sample: unarySample(erf),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('erf', erf),
  },
]
