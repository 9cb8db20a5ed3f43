import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

export const sigmoidOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'sigmoid',
  doc: '1 / (1 + exp(-x))',
  reference: (x) => 1 / (1 + Math.exp(-x)),
  expression: e.sigmoid,
  vjp: (g, y) => sigmoidGradient(g, y),
})

/**
 * The logistic function, element by element: 1 / (1 + e⁻ˣ), within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.sigmoid(t.tensor([0])).toArray() // => [0.5]
 */
export function sigmoid(x: Operand): Tensor {
  return applyUnary(sigmoidOperation, x)
}

export const sigmoidGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'sigmoidGradient',
  doc: 'g y (1 - y)',
  reference: (y) => y * (1 - y),
  expression: (g, y) => e.mul(e.mul(g, y), e.sub(e.constant(1), y)),
  second: (y) => sub(1, mul(y, 2)),
})

/**
 * The gradient of `sigmoid` from its result, element by element: g y (1 - y).
 *
 * @param g the cotangent: any shape that broadcasts with y, or a number
 * @param y any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.sigmoidGradient(4, t.tensor([0, 0.5, 1])).toArray() // => [0, 1, 0]
 */
export function sigmoidGradient(g: Operand, y: Operand): Tensor {
  return applyBinary(sigmoidGradientOperation, g, y)
}

export const info: readonly OperationInfo[] = [
  {
    operation: sigmoidOperation,
    sample: unarySample(sigmoid),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('sigmoid', sigmoid),
  },
  {
    operation: sigmoidGradientOperation,
    sample: binarySample(sigmoidGradient),
    domains: [ordinary, { low: -1, high: 1 }],
    ulps: 3,
    errors: binaryErrors('sigmoidGradient', sigmoidGradient),
  },
]
