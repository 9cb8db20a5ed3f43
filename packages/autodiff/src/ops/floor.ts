import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const floorOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'floor',
  doc: 'the largest whole number not above x',
  reference: Math.floor,
  expression: e.floor,
  vjp: null,
})

/**
 * The largest whole number not above x, element by element. Its gradient is 0 everywhere.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.floor(t.tensor([1.5, -1.5])).toArray() // => [1, -2]
 */
export function floor(x: Operand): Tensor {
  return applyUnary(floorOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: floorOperation,
    sample: unarySample(floor),
    domains: [{ low: -3, high: 3, kinks: [-3, -2, -1, 0, 1, 2, 3] }],
    ulps: 0,
    errors: unaryErrors('floor', floor),
  },
]
