import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { greater } from './greater.ts'
import { where } from './where.ts'

export const reluOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'relu',
  doc: 'max(x, 0)',
  reference: (x) => Math.max(x, 0),
  expression: (x) => e.maximum(x, e.constant(0)),
  vjp: (g, y) => where(greater(y, 0), g, 0),
})

/**
 * The positive part, element by element: max(x, 0); NaN stays NaN. The gradient at 0 is 0 (Nair & Hinton 2010).
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.relu(t.tensor([-1, 2])).toArray() // => [0, 2]
 */
export function relu(x: Operand): Tensor {
  return applyUnary(reluOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: reluOperation,
    sample: unarySample(relu),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 0,
    errors: unaryErrors('relu', relu),
  },
]
