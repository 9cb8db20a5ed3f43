import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

export const tanhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'tanh',
  doc: '(exp(x) - exp(-x)) / (exp(x) + exp(-x))',
  reference: Math.tanh,
  expression: e.tanh,
  vjp: (g, y) => mul(g, sub(1, square(y))),
})

/**
 * The hyperbolic tangent, element by element: (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.tanh(t.tensor([0])).toArray() // => [0]
 */
export function tanh(x: Operand): Tensor {
  return applyUnary(tanhOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: tanhOperation,
    sample: unarySample(tanh),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('tanh', tanh),
  },
]
