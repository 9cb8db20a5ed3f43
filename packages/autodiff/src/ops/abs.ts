import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { sign } from './sign.ts'

export const absOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'abs',
  doc: '|x|',
  reference: Math.abs,
  expression: e.abs,
  vjp: (g, _, x) => mul(g, sign(x)),
})

/**
 * The magnitude, element by element: |x|. The gradient at 0 is 0.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.abs(t.tensor([-2, 3])).toArray() // => [2, 3]
 */
export function abs(x: Operand): Tensor {
  return applyUnary(absOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: absOperation,
    sample: unarySample(abs),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 0,
    errors: unaryErrors('abs', abs),
  },
]
