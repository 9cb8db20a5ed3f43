import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'

export const cbrtOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'cbrt',
  doc: 'the real cube root of x',
  reference: Math.cbrt,
  expression: e.cbrt,
  vjp: (g, y) => div(g, mul(square(y), 3)),
})

/**
 * The cube root, element by element: ∛x, negative where x is, within 0.51 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`. The gradient at 0 is Infinity
 * @example
 * t.cbrt(t.tensor([27, -8])).toArray() // => [3, -2]
 */
export function cbrt(x: Operand): Tensor {
  return applyUnary(cbrtOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: cbrtOperation,
    sample: unarySample(cbrt),
    domains: [{ low: -9, high: 9, kinks: [0] }],
    ulps: 1,
    errors: unaryErrors('cbrt', cbrt),
  },
]
