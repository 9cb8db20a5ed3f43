import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientBetween } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const relu6Operation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'relu6',
  doc: 'min(max(x, 0), 6)',
  reference: (x) => Math.min(Math.max(x, 0), 6),
  expression: (x) => e.pmin(e.add(e.pmax(x, e.constant(0)), e.constant(0)), e.constant(6)),
  vjp: (g, _, x) => relu6Gradient(g, x),
})

/**
 * The positive part up to 6, element by element: min(max(x, 0), 6) (Krizhevsky 2010). NaN stays NaN. The gradient at the kinks, 0
 * and 6, is 0, as in PyTorch.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.relu6(t.tensor([-4, 0.5, 8])).toArray() // => [0, 0.5, 6]
 */
export function relu6(x: Operand): Tensor {
  return applyUnary(relu6Operation, x)
}

export const relu6GradientOperation: ReturnType<typeof gradientBetween> = /*@__PURE__*/ gradientBetween({
  name: 'relu6Gradient',
  low: 0,
  high: 6,
  slope: 1,
})

/**
 * The gradient of `relu6`, element by element: g where 0 < x < 6, else 0.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.relu6Gradient(5, t.tensor([0, 1, 8])).toArray() // => [0, 5, 0]
 */
export function relu6Gradient(g: Operand, x: Operand): Tensor {
  return applyBinary(relu6GradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: relu6Operation,
    sample: unarySample(relu6),
    domains: [{ low: -3, high: 9, kinks: [0, 6] }],
    ulps: 0,
    errors: unaryErrors('relu6', relu6),
  },
  {
    operation: relu6GradientOperation,
    sample: binarySample(relu6Gradient),
    domains: [ordinary, { low: -3, high: 9, kinks: [0, 6] }],
    ulps: 0,
    errors: binaryErrors('relu6Gradient', relu6Gradient),
  },
]
