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
import { square } from './square.ts'
import { sub } from './sub.ts'

/** 2 sqrt(2 / pi), written out: bundlers keep what they cannot see to be a number. */
const linear = 1.5957691216057308
const cubic = 0.044715 * linear
const exponentOf = (x: number): number => x * (linear + cubic * x * x)
const slopeOf = (x: number): number => linear + 3 * cubic * x * x

export const geluTanhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'geluTanh',
  doc: '0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x ** 3)))',
  reference: (x) => (x === Number.NEGATIVE_INFINITY ? -0 : x / (1 + Math.exp(-exponentOf(x)))),
  expression: (x) => {
    const v = e.mul(x, e.mulAdd(e.mul(x, x), e.constant(cubic), e.constant(linear)))
    return e.timesSigmoid(x, e.pmin(e.abs(x), e.constant(20)), v)
  },
  vjp: (g, _, x) => geluTanhGradient(g, x),
})

/**
 * The tanh form of `gelu`, element by element: x sigmoid(v) with v = 2 √(2/π) (x + 0.044715 x³), which is
 * x/2 (1 + tanh(v/2)) without its cancellation (Hendrycks & Gimpel 2016). v is rounded: relative errors are up to 4 + 3 |v| ulp. It
 * differs from `gelu` by up to 5e-4. At -Infinity it is -0, its limit.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.geluTanh(t.tensor([0, -1000, Infinity])).toArray() // => [0, -0, Infinity]
 */
export function geluTanh(x: Operand): Tensor {
  return applyUnary(geluTanhOperation, x)
}

export const geluTanhGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'geluTanhGradient',
  doc: 'g (s + x s (1 - s) v(x) derived by x), s = sigmoid(v(x)) as in geluTanh',
  reference: (x) => {
    const h = Math.max(-20, Math.min(20, x))
    const v = exponentOf(h)
    return (1 + (h * slopeOf(h)) / (1 + Math.exp(v))) / (1 + Math.exp(-v))
  },
  expression: (g, x) => {
    const size = e.pmin(e.abs(x), e.constant(20))
    const squared = e.mul(size, size)
    const v = e.mul(size, e.mulAdd(squared, e.constant(cubic), e.constant(linear)))
    const slope = e.mulAdd(squared, e.constant(3 * cubic), e.constant(linear))
    return e.mul(g, e.timesSigmoidSlope(x, v, e.mul(size, slope)))
  },
  second: (x) => {
    const at = held(x, 20)
    const squared = square(at)
    const v = mul(at, add(mul(squared, cubic), linear))
    const [s, rest] = [sigmoid(v), sigmoid(neg(v))]
    const slope = add(mul(squared, 3 * cubic), linear)
    const bend = add(mul(slope, 2), mul(squared, 6 * cubic))
    return mul(mul(s, rest), add(bend, mul(mul(at, square(slope)), sub(rest, s))))
  },
})

/**
 * The gradient of `geluTanh`, element by element: g (s + x s (1 - s) v') with s = sigmoid(v). It crosses 0 at x = -0.753.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.geluTanhGradient(2, t.tensor([0, 1000])).toArray() // => [1, 2]
 */
export function geluTanhGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(geluTanhGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: geluTanhOperation,
    sample: unarySample(geluTanh),
    domains: [{ low: -9, high: 9 }],
    ulps: 4,
    scale: ([x], output) =>
      Array.from(output, (y, i) => Math.abs(y) * (1 + 0.75 * Math.abs(exponentOf(x!.values[i]!)))),
    errors: unaryErrors('geluTanh', geluTanh),
  },
  {
    operation: geluTanhGradientOperation,
    sample: binarySample(geluTanhGradient),
    domains: [ordinary, { low: -9, high: 9 }],
    ulps: 8,
    scale: (_, _y, magnitudes) => magnitudes,
    errors: binaryErrors('geluTanhGradient', geluTanhGradient),
  },
]
