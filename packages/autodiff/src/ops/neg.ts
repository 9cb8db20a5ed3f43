import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const negOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'neg',
  doc: '-x',
  reference: (x) => -x,
  expression: e.neg,
  vjp: (g) => neg(g),
})

/**
 * The negative, element by element: -x.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.neg(t.tensor([1, -2])).toArray() // => [-1, 2]
 */
export function neg(x: Operand): Tensor {
  return applyUnary(negOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: negOperation,
    sample: unarySample(neg),
    domains: [ordinary],
    ulps: 0,
    errors: unaryErrors('neg', neg),
  },
]
