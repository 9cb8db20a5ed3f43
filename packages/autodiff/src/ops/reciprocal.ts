import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

export const reciprocalOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'reciprocal',
  doc: '1 / x',
  reference: (x) => 1 / x,
  expression: (x) => e.div(e.constant(1), x),
  vjp: (g, y) => neg(mul(mul(g, y), y)),
})

/**
 * The reciprocal, element by element: 1 / x, correctly rounded; an infinity with the sign of x at +-0.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.reciprocal(t.tensor([4, -0.5])).toArray() // => [0.25, -2]
 */
export function reciprocal(x: Operand): Tensor {
  return applyUnary(reciprocalOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: reciprocalOperation,
    sample: unarySample(reciprocal),
    domains: [{ low: -4, high: 4, kinks: [0] }],
    ulps: 0,
    errors: unaryErrors('reciprocal', reciprocal),
  },
]
