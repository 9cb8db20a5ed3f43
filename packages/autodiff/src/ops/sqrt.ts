import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

export const sqrtOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sqrt',
  doc: 'sqrt(x)',
  reference: Math.sqrt,
  expression: e.sqrt,
  vjp: (g, y) => div(g, mul(y, 2)),
})

/**
 * The square root, element by element: √x; NaN below 0.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient at 0 is Infinity
 * @example
 * t.sqrt(t.tensor([4, 9])).toArray() // => [2, 3]
 */
export function sqrt(x: Operand): Tensor {
  return applyUnary(sqrtOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sqrtOperation,
    sample: unarySample(sqrt),
    domains: [{ low: 0.05, high: 9 }],
    ulps: 0,
    errors: unaryErrors('sqrt', sqrt),
  },
]
