import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'

export const tanOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'tan',
  doc: 'sin x / cos x',
  reference: Math.tan,
  expression: e.tan,
  vjp: (g, y) => mul(g, add(square(y), 1)),
})

/**
 * The tangent of radians, element by element: sin x / cos x, within 0.51 ulp.
 *
 * Right for every float32, to the largest: arguments are reduced by 200 bits of 2 / π where they need it. NaN of infinities.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.tan(t.tensor([0, Math.PI / 4])).toArray() // => [0, 1]
 */
export function tan(x: Operand): Tensor {
  return applyUnary(tanOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: tanOperation,
    sample: unarySample(tan),
    domains: [{ low: -1.4, high: 1.4 }],
    ulps: 1,
    errors: unaryErrors('tan', tan),
  },
]
