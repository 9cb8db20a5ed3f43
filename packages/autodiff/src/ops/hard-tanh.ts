import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientBetween } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const hardTanhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'hardTanh',
  doc: 'min(max(x, -1), 1)',
  reference: (x) => Math.min(Math.max(x, -1), 1),
  expression: (x) => e.pmin(e.pmax(x, e.constant(-1)), e.constant(1)),
  vjp: (g, _, x) => hardTanhGradient(g, x),
})

/**
 * A tanh of three lines, element by element: min(max(x, -1), 1) (Collobert 2004). NaN stays NaN. The gradient at the kinks, -1 and
 * 1, is 0, as in PyTorch.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.hardTanh(t.tensor([-4, 0.5, 4])).toArray() // => [-1, 0.5, 1]
 */
export function hardTanh(x: Operand): Tensor {
  return applyUnary(hardTanhOperation, x)
}

export const hardTanhGradientOperation: ReturnType<typeof gradientBetween> = /*@__PURE__*/ gradientBetween({
  name: 'hardTanhGradient',
  low: -1,
  high: 1,
  slope: 1,
})

/**
 * The gradient of `hardTanh`, element by element: g where -1 < x < 1, else 0.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.hardTanhGradient(6, t.tensor([-1, 0, 4])).toArray() // => [0, 6, 0]
 */
export function hardTanhGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(hardTanhGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: hardTanhOperation,
    sample: unarySample(hardTanh),
    domains: [{ low: -4, high: 4, kinks: [-1, 1] }],
    ulps: 0,
    errors: unaryErrors('hardTanh', hardTanh),
  },
  {
    operation: hardTanhGradientOperation,
    sample: binarySample(hardTanhGradient),
    domains: [ordinary, { low: -4, high: 4, kinks: [-1, 1] }],
    ulps: 0,
    errors: binaryErrors('hardTanhGradient', hardTanhGradient),
  },
]
