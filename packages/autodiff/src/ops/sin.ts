import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

export const sinOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sin',
  doc: 'sin x',
  reference: Math.sin,
  expression: e.sin,
  vjp: (g, _, x) => mul(g, cos(x)),
})

/**
 * The sine of radians, element by element, within 0.51 ulp.
 *
 * Right for every float32, to the largest: arguments are reduced by 200 bits of 2 / π where they need it. NaN of infinities.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.sin(t.tensor([0, Math.PI / 6])).toArray() // => [0, 0.5]
 */
export function sin(x: Operand): Tensor {
  return applyUnary(sinOperation, x)
}

export const cosOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'cos',
  doc: 'cos x',
  reference: Math.cos,
  expression: e.cos,
  vjp: (g, _, x) => neg(mul(g, sin(x))),
})

/**
 * The cosine of radians, element by element, within 0.51 ulp.
 *
 * Right for every float32, to the largest: arguments are reduced by 200 bits of 2 / π where they need it. NaN of infinities.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.cos(t.tensor([0, Math.PI])).toArray() // => [1, -1]
 */
export function cos(x: Operand): Tensor {
  return applyUnary(cosOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sinOperation,
    sample: unarySample(sin),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('sin', sin),
  },
  {
    operation: cosOperation,
    sample: unarySample(cos),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('cos', cos),
  },
]
