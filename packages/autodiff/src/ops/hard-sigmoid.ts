import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientBetween } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const hardSigmoidOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'hardSigmoid',
  doc: 'min(max(x + 3, 0), 6) / 6',
  reference: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  expression: (x) => {
    const held = e.pmin(e.pmax(e.add(x, e.constant(3)), e.constant(0)), e.constant(6))
    return e.mul(held, e.constant(1 / 6))
  },
  vjp: (g, _, x) => hardSigmoidGradient(g, x),
})

/**
 * A sigmoid of three lines, element by element: min(max(x + 3, 0), 6) / 6, as PyTorch and Keras 3 have it (Howard et al. 2019);
 * Keras up to 2 had min(max(x/5 + 1/2, 0), 1). NaN stays NaN. The gradient at the kinks, -3 and 3, is 0.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.hardSigmoid(t.tensor([-4, 0, 4])).toArray() // => [0, 0.5, 1]
 */
export function hardSigmoid(x: Operand): Tensor {
  return applyUnary(hardSigmoidOperation, x)
}

export const hardSigmoidGradientOperation: ReturnType<typeof gradientBetween> = /*@__PURE__*/ gradientBetween(
  {
    name: 'hardSigmoidGradient',
    low: -3,
    high: 3,
    slope: 1 / 6,
  },
)

/**
 * The gradient of `hardSigmoid`, element by element: g / 6 where -3 < x < 3, else 0.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.hardSigmoidGradient(6, t.tensor([-3, 0, 4])).toArray() // => [0, 1, 0]
 */
export function hardSigmoidGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(hardSigmoidGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: hardSigmoidOperation,
    sample: unarySample(hardSigmoid),
    domains: [{ low: -6, high: 6, kinks: [-3, 3] }],
    ulps: 2,
    errors: unaryErrors('hardSigmoid', hardSigmoid),
  },
  {
    operation: hardSigmoidGradientOperation,
    sample: binarySample(hardSigmoidGradient),
    domains: [ordinary, { low: -6, high: 6, kinks: [-3, 3] }],
    ulps: 2,
    errors: binaryErrors('hardSigmoidGradient', hardSigmoidGradient),
  },
]
