import { expReduced, mulAdd, reduce } from './approximations.ts'
import type { Value } from './lanes.ts'
import { abs, add, constant, div, fromBits, less, mul, neg, pmin, select, shiftLeft, sub } from './lanes.ts'

const scale = 2 ** 40

/** e^-size twice: as it is, and times 2^40, where it keeps its digits when it is too small to be a normal number. */
export interface Decay {
  readonly value: Value
  readonly scaled: Value
}

/**
 * e^-(size + rest) for 0 <= size <= 110, NaN for NaN. A product of many factors takes `scaled`, and ends with `unscale`: so only
 * the result is rounded to a subnormal number.
 *
 * @param rest at most 0.06: what size lost when it was rounded
 */
export function decay(size: Value, rest: Value | null = null): Decay {
  const { r, biased } = reduce(neg(size), 127 + 40, neg(rest === null ? size : add(size, rest)))
  const scaled = mul(expReduced(rest === null ? r : sub(r, rest)), fromBits(shiftLeft(biased, 23)))
  return { value: mul(scaled, constant(1 / scale)), scaled }
}

/** The product times 2^-40 where x < 0, as it is elsewhere: `scaled` was a factor on that side. */
export function unscale(x: Value, product: Value): Value {
  return mul(product, select(less(x, constant(0)), constant(1 / scale), constant(1)))
}

/** x sigmoid(v), where x and v have one sign, within 3 ulp: with t = e^-|v|, x / (1 + t) or x t / (1 + t) below 0. */
export function timesSigmoid(x: Value, v: Value): Value {
  const { value, scaled } = decay(pmin(abs(v), constant(110)))
  return unscale(v, div(select(less(v, constant(0)), mul(x, scaled), x), add(value, constant(1))))
}

/** The derivative of x sigmoid(v): s (1 + z (1 - s)) with z = x v'. It has a zero, near which terms cancel. */
export function timesSigmoidSlope(v: Value, z: Value): Value {
  const { value, scaled } = decay(pmin(abs(v), constant(110)))
  const negative = less(v, constant(0))
  const inverse = div(constant(1), add(value, constant(1)))
  const inner = mulAdd(mul(z, inverse), select(negative, constant(1), value), constant(1))
  return unscale(v, mul(mul(inner, inverse), select(negative, scaled, constant(1))))
}
