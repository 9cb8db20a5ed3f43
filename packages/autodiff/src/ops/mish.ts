import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf, held } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { sigmoid } from './sigmoid.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** tanh(ln(1 + e^x)) from r = sigmoid(-x), the weight of what is not let through. */
const gateOf = (x: number): number => {
  const r = 1 / (1 + Math.exp(x))
  return (1 + r) / (1 + r * r) / (1 + Math.exp(-x))
}

export const mishOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'mish',
  doc: 'x tanh(ln(1 + exp(x)))',
  reference: (x) => (x === Number.NEGATIVE_INFINITY ? -0 : x * gateOf(x)),
  // With t = e^-|x|, it is below relu by |x| t (t + 2) / (t (t + 2) + 2) where x < 0, else |x| t 2t / (t (2t + 2) + 1).
  expression: (x) => {
    const size = e.pmin(e.abs(x), e.constant(110))
    const { value: t, scaled } = e.decay(size)
    const [two, p] = [e.constant(2), e.toNumber(e.greaterEqual(x, e.constant(0)))]
    const turned = e.mulAdd(t, p, t)
    const over = e.add(turned, e.sub(two, e.add(p, p)))
    const under = e.mulAdd(t, e.add(turned, two), e.sub(two, p))
    return e.reluMinus(x, e.unscale(e.div(e.mul(e.mul(size, scaled), over), under)))
  },
  vjp: (g, _, x) => mishGradient(g, x),
})

/**
 * A smooth relu with a dip below 0, element by element: x tanh(softplus(x)), within 5 ulp, far below 0 too (Misra 2019). At
 * -Infinity it is -0, its limit.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.mish(t.tensor([0, -1000, Infinity])).toArray() // => [0, -0, Infinity]
 */
export function mish(x: Operand): Tensor {
  return applyUnary(mishOperation, x)
}

export const mishGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'mishGradient',
  doc: 'g (w + x (1 - w ** 2) sigmoid(x)), w = tanh(ln(1 + exp(x)))',
  reference: (x) => {
    const h = Math.max(-800, Math.min(800, x))
    const r = 1 / (1 + Math.exp(h))
    return gateOf(h) + (4 * h * (r / (1 + r * r)) ** 2) / (1 + Math.exp(-h))
  },
  // Below 0, t (f d + 4 x (1 + t)) / d^2 with t = e^x, f = t + 2 and d = f t + 2; above, with t = e^-x, f = 2t + 1 and d = f + 2 t^2,
  // (f d + 4 x t^2 (1 + t)) / d^2.
  expression: (g, x) => {
    const held = e.pmax(e.pmin(x, e.constant(110)), e.constant(-110))
    const { value: t, scaled } = e.decay(e.abs(held))
    const negative = e.less(x, e.constant(0))
    const [two, p] = [e.constant(2), e.toNumber(e.greaterEqual(x, e.constant(0)))]
    const turned = e.mulAdd(t, p, t)
    const f = e.add(turned, e.sub(two, p))
    const d = e.mulAdd(t, e.add(turned, two), e.sub(two, p))
    const rest = e.mul(
      e.mul(e.mul(held, e.constant(4)), e.add(t, e.constant(1))),
      e.select(negative, e.constant(1), e.mul(t, t)),
    )
    const whole = e.div(e.mulAdd(f, d, rest), e.mul(d, d))
    return e.mul(g, e.select(negative, e.unscale(e.mul(whole, scaled)), whole))
  },
  second: (x) => {
    const at = held(x, 110)
    const [s, r] = [sigmoid(at), sigmoid(neg(at))]
    const under = add(square(r), 1)
    const w = div(mul(s, add(r, 1)), under)
    const slope = mul(mul(square(div(r, under)), 4), s)
    return mul(slope, add(2, mul(at, sub(r, mul(mul(w, s), 2)))))
  },
})

/**
 * The gradient of `mish`, element by element: g (w + x (1 - w²) sigmoid(x)) with w = tanh(softplus(x)). It crosses 0 at
 * x = -1.192.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.mishGradient(2, t.tensor([-1000, 1000])).toArray() // => [-0, 2]
 */
export function mishGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(mishGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: mishOperation,
    sample: unarySample(mish),
    domains: [{ low: -20, high: 20 }],
    ulps: 5,
    errors: unaryErrors('mish', mish),
  },
  {
    operation: mishGradientOperation,
    sample: binarySample(mishGradient),
    domains: [ordinary, { low: -20, high: 20 }],
    ulps: 8,
    scale: (_, _y, magnitudes) => magnitudes,
    errors: binaryErrors('mishGradient', mishGradient),
  },
]
