import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'

export const sinhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sinh',
  doc: '(exp(x) - exp(-x)) / 2',
  reference: Math.sinh,
  expression: e.sinh,
  vjp: (g, _, x) => mul(g, cosh(x)),
})

/**
 * The hyperbolic sine, element by element: (eˣ - e⁻ˣ) / 2, within 0.51 ulp; infinite from |x| = 89.42 on.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.sinh(t.tensor([0, 1])).toArray() // => [0, 1.175201177597046]
 */
export function sinh(x: Operand): Tensor {
  return applyUnary(sinhOperation, x)
}

export const coshOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'cosh',
  doc: '(exp(x) + exp(-x)) / 2',
  reference: Math.cosh,
  expression: e.cosh,
  vjp: (g, _, x) => mul(g, sinh(x)),
})

/**
 * The hyperbolic cosine, element by element: (eˣ + e⁻ˣ) / 2, within 0.51 ulp; infinite from |x| = 89.42 on.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.cosh(t.tensor([0, 1])).toArray() // => [1, 1.5430806875228882]
 */
export function cosh(x: Operand): Tensor {
  return applyUnary(coshOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sinhOperation,
    sample: unarySample(sinh),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('sinh', sinh),
  },
  {
    operation: coshOperation,
    sample: unarySample(cosh),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('cosh', cosh),
  },
]
