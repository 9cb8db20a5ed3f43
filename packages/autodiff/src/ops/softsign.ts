import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { greater } from './greater.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

const maxFloat = 3.4028234663852886e38

export const softsignOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'softsign',
  doc: 'x / (1 + |x|)',
  reference: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? Math.sign(x) : x / (1 + Math.abs(x))),
  expression: (x) => {
    const size = e.pmin(e.abs(x), e.constant(maxFloat))
    const y = e.div(size, e.add(size, e.constant(1)))
    return e.fromBits(e.or(e.bits(y), e.and(e.bits(x), e.integer(0x80000000))))
  },
  vjp: (g, _, x) => softsignGradient(g, x),
})

/**
 * A sigmoid with heavy tails, element by element: x / (1 + |x|), within 2 ulp (Bergstra et al. 2009). It is ±1 at infinities,
 * its limits, where PyTorch has NaN. Its second derivative jumps at 0, and is taken as 0 there.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.softsign(t.tensor([1, -3, Infinity])).toArray() // => [0.5, -0.75, 1]
 */
export function softsign(x: Operand): Tensor {
  return applyUnary(softsignOperation, x)
}

export const softsignGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'softsignGradient',
  doc: 'g / (1 + |x|) ** 2',
  reference: (x) => 1 / (1 + Math.abs(x)) ** 2,
  expression: (g, x) => {
    const inverse = e.div(e.constant(1), e.add(e.abs(x), e.constant(1)))
    return e.mul(e.mul(g, inverse), inverse)
  },
  second: (x) => {
    const sign = sub(greater(x, 0), greater(0, x))
    return div(mul(softsignGradient(-2, x), sign), add(mul(x, sign), 1))
  },
})

/**
 * The gradient of `softsign`, element by element: g / (1 + |x|)²: from y it would be (1 - |y|)², which cancels for large x.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.softsignGradient(1, t.tensor([0, -3])).toArray() // => [1, 0.0625]
 */
export function softsignGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(softsignGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: softsignOperation,
    sample: unarySample(softsign),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 2,
    errors: unaryErrors('softsign', softsign),
  },
  {
    operation: softsignGradientOperation,
    sample: binarySample(softsignGradient),
    domains: [ordinary, { low: -3, high: 3, kinks: [0] }],
    ulps: 4,
    errors: binaryErrors('softsignGradient', softsignGradient),
  },
]
