import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

export const log2Operation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'log2',
  doc: 'log2 x',
  reference: Math.log2,
  expression: e.log2,
  vjp: (g, _, x) => mul(div(g, x), Math.LOG2E),
})

/**
 * The logarithm to base 2, element by element, within 0.51 ulp, and exact for powers of 2; -Infinity at 0, NaN below.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.log2(t.tensor([8, 0.5])).toArray() // => [3, -1]
 */
export function log2(x: Operand): Tensor {
  return applyUnary(log2Operation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: log2Operation,
    sample: unarySample(log2),
    domains: [{ low: 0.05, high: 9 }],
    ulps: 1,
    errors: unaryErrors('log2', log2),
  },
]
