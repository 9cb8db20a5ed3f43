import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'

export const logOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'log',
  doc: 'ln x',
  reference: Math.log,
  expression: e.log,
  vjp: (g, _, x) => div(g, x),
})

/**
 * The natural logarithm, element by element: ln x, within 2 ulp; -Infinity at 0, NaN below.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.log(t.tensor([1])).toArray() // => [0]
 */
export function log(x: Operand): Tensor {
  return applyUnary(logOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logOperation,
    sample: unarySample(log),
    domains: [{ low: 0.05, high: 9 }],
    ulps: 2,
    errors: unaryErrors('log', log),
  },
]
