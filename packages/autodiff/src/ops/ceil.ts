import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const ceilOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'ceil',
  doc: 'the smallest whole number not below x',
  reference: Math.ceil,
  expression: e.ceil,
  vjp: null,
})

/**
 * The smallest whole number not below x, element by element. Its gradient is 0 everywhere.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.ceil(t.tensor([1.5, -1.5])).toArray() // => [2, -1]
 */
export function ceil(x: Operand): Tensor {
  return applyUnary(ceilOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: ceilOperation,
    sample: unarySample(ceil),
    domains: [{ low: -3, high: 3, kinks: [-3, -2, -1, 0, 1, 2, 3] }],
    ulps: 0,
    errors: unaryErrors('ceil', ceil),
  },
]
