import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf, held } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { sigmoid } from './sigmoid.ts'
import { sub } from './sub.ts'

export const siluOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'silu',
  doc: 'x / (1 + exp(-x))',
  reference: (x) => (x === Number.NEGATIVE_INFINITY ? -0 : x / (1 + Math.exp(-x))),
  expression: (x) => e.timesSigmoid(x, e.pmin(e.abs(x), e.constant(110)), x),
  vjp: (g, _, x) => siluGradient(g, x),
})

/**
 * The sigmoid linear unit, or swish, element by element: x sigmoid(x), within 4 ulp, far below 0 too (Elfwing et al. 2018). At
 * -Infinity it is -0, its limit, where PyTorch has NaN.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.silu(t.tensor([0, -1000, Infinity])).toArray() // => [0, -0, Infinity]
 */
export function silu(x: Operand): Tensor {
  return applyUnary(siluOperation, x)
}

export const siluGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'siluGradient',
  doc: 'g s (1 + x (1 - s)), s = 1 / (1 + exp(-x))',
  reference: (x) => {
    const h = Math.max(-800, Math.min(800, x))
    return (1 + h / (1 + Math.exp(h))) / (1 + Math.exp(-h))
  },
  expression: (g, x) => e.mul(g, e.timesSigmoidSlope(x, x, e.pmin(e.abs(x), e.constant(110)))),
  second: (x) => {
    const at = held(x, 110)
    // The second is 1 - s with the digits that the difference loses.
    const [s, rest] = [sigmoid(at), sigmoid(neg(at))]
    return mul(mul(s, rest), add(mul(at, sub(rest, s)), 2))
  },
})

/**
 * The gradient of `silu`, element by element: g s (1 + x (1 - s)) with s = sigmoid(x). It crosses 0 at x = -1.278.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.siluGradient(2, t.tensor([0, 1000])).toArray() // => [1, 2]
 */
export function siluGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(siluGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: siluOperation,
    sample: unarySample(silu),
    domains: [{ low: -20, high: 20 }],
    ulps: 4,
    errors: unaryErrors('silu', silu),
  },
  {
    operation: siluGradientOperation,
    sample: binarySample(siluGradient),
    domains: [ordinary, { low: -20, high: 20 }],
    ulps: 8,
    scale: (_, _y, magnitudes) => magnitudes,
    errors: binaryErrors('siluGradient', siluGradient),
  },
]
