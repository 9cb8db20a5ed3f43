import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'

export const squareOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'square',
  doc: 'x * x',
  reference: (x) => x * x,
  expression: (x) => e.mul(x, x),
  vjp: (g, _, x) => mul(g, mul(x, 2)),
})

/**
 * The square, element by element: x².
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.square(t.tensor([1, -3])).toArray() // => [1, 9]
 */
export function square(x: Operand): Tensor {
  return applyUnary(squareOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: squareOperation,
    sample: unarySample(square),
    domains: [ordinary],
    ulps: 0,
    errors: unaryErrors('square', square),
  },
]
