import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

export const sigmoidOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sigmoid',
  doc: '1 / (1 + exp(-x))',
  reference: (x) => 1 / (1 + Math.exp(-x)),
  expression: e.sigmoid,
  vjp: (g, y) => mul(g, mul(y, sub(1, y))),
})

/**
 * The logistic function, element by element: 1 / (1 + e⁻ˣ), within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.sigmoid(t.tensor([0])).toArray() // => [0.5]
 */
export function sigmoid(x: Operand): Tensor {
  return applyUnary(sigmoidOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sigmoidOperation,
    sample: unarySample(sigmoid),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('sigmoid', sigmoid),
  },
]
