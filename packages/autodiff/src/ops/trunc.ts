import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const truncOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'trunc',
  doc: 'x without its fraction',
  reference: Math.trunc,
  expression: e.trunc,
  vjp: null,
})

/**
 * The whole part, element by element: x rounded towards 0. Its gradient is 0 everywhere.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.trunc(t.tensor([1.5, -1.5])).toArray() // => [1, -1]
 */
export function trunc(x: Operand): Tensor {
  return applyUnary(truncOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: truncOperation,
    sample: unarySample(trunc),
    domains: [{ low: -3, high: 3, kinks: [-3, -2, -1, 0, 1, 2, 3] }],
    ulps: 0,
    errors: unaryErrors('trunc', trunc),
  },
]
