import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { square } from './square.ts'

export const atanOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'atan',
  doc: 'the angle whose tangent is x',
  reference: Math.atan,
  expression: e.atan,
  vjp: (g, _, x) => div(g, add(square(x), 1)),
})

/**
 * The angle whose tangent is x, element by element: between -π/2 and π/2, within 0.51 ulp. See `atan2` for all quadrants.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.atan(t.tensor([0, 1])).toArray() // => [0, 0.7853981852531433]
 */
export function atan(x: Operand): Tensor {
  return applyUnary(atanOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: atanOperation,
    sample: unarySample(atan),
    domains: [ordinary],
    ulps: 1,
    errors: unaryErrors('atan', atan),
  },
]
