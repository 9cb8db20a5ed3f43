import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'

export const expOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'exp',
  doc: 'e ** x',
  reference: Math.exp,
  expression: e.exp,
  vjp: (g, y) => mul(g, y),
})

/**
 * The exponential, element by element: eˣ, within 2 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.exp(t.tensor([0])).toArray() // => [1]
 */
export function exp(x: Operand): Tensor {
  return applyUnary(expOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: expOperation,
    sample: unarySample(exp),
    domains: [ordinary],
    ulps: 2,
    errors: unaryErrors('exp', exp),
  },
]
