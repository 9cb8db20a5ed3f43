import { applyTo, type Operand } from '../apply.ts'
import { applyBinary, binary, none, ternary } from '../elementwise.ts'
import { negativePart } from '../gradient.ts'
import { binaryErrors, binarySample, broadcastable, ordinary, unaryErrors } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { expm1 } from './expm1.ts'
import { greater } from './greater.ts'
import { mul } from './mul.ts'
import { where } from './where.ts'

export const eluOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'elu',
  doc: 'x where x > 0, else alpha (exp(x) - 1)',
  reference: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  expression: (x, alpha) => e.select(e.greater(x, e.constant(0)), x, e.mul(alpha, e.expm1(x))),
  vjp: [(g, _, x, alpha) => eluGradient(g, x, alpha), (g, _, x) => mul(g, expm1(negativePart(x)))],
})

/**
 * The exponential linear unit, element by element: x where it is positive, else alpha (eˣ - 1), within 3 ulp (Clevert et al. 2016).
 * The gradient at 0 is alpha, from the left, as in PyTorch: only with alpha = 1 is it differentiable there.
 *
 * @param x any shape
 * @param alpha any shape that broadcasts with x, or a number; 1 by default, as in PyTorch and Keras
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.elu(t.tensor([-1000, 2])).toArray() // => [-1, 2]
 * t.elu(t.tensor([-1000, 2]), 0.5).toArray() // => [-0.5, 2]
 */
export function elu(x: Operand, alpha: Operand = 1): Tensor {
  return applyBinary(eluOperation, x, alpha)
}

// What float32 has no number for is 0 to it, and NaN times an infinite g.
function underflowed(slope: number): number {
  return Math.abs(slope) <= 2 ** -150 ? 0 * slope : slope
}

export const eluGradientOperation: ReturnType<typeof ternary> = /*@__PURE__*/ ternary({
  name: 'eluGradient',
  doc: 'g where x > 0, else g alpha exp(x)',
  reference: (g, x, alpha) => (x > 0 ? g : g * underflowed(alpha * Math.exp(x))),
  expression: (g, x, alpha) => e.select(e.greater(x, e.constant(0)), g, e.mul(g, e.mul(alpha, e.exp(x)))),
  vjp: [
    (cotangent, _, _g, x, alpha) => eluGradient(cotangent, x, alpha),
    (cotangent, _, g, x, alpha) =>
      mul(mul(cotangent, g), mul(where(greater(x, 0), 0, alpha), exp(negativePart(x)))),
    (cotangent, _, g, x) => mul(mul(cotangent, g), where(greater(x, 0), 0, exp(negativePart(x)))),
  ],
})

/**
 * The gradient of `elu` by x, element by element: g where x > 0, else g alpha eˣ.
 *
 * @param g the cotangent: any shape that broadcasts with the others, or a number
 * @param x likewise
 * @param alpha likewise; 1 by default
 * @returns the shape that all three broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.eluGradient(8, t.tensor([0, 1]), 0.5).toArray() // => [4, 8]
 */
export function eluGradient(g: Operand, x: Operand, alpha: Operand = 1): Tensor {
  return applyTo(eluGradientOperation, [g, x, alpha], none)
}

export const info: readonly OperationInfo[] = [
  {
    operation: eluOperation,
    sample: binarySample(elu),
    domains: [{ low: -3, high: 3, kinks: [0] }, ordinary],
    ulps: 3,
    errors: binaryErrors('elu', elu),
  },
  {
    operation: eluGradientOperation,
    sample: (draw) => ({ shapes: broadcastable(draw, 3), call: eluGradient }),
    domains: [ordinary, { low: -3, high: 3, kinks: [0] }, ordinary],
    ulps: 4,
    // Where alpha exp(x) is too small to be a normal number it has lost digits before it meets a large g.
    scale: (_, _y, magnitudes) => magnitudes,
    errors: unaryErrors('eluGradient', (g) => eluGradient(g, 1)),
  },
]
