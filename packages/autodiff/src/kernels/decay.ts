import { expReduced, reduce } from './approximations.ts'
import type { Value } from './lanes.ts'
import {
  abs,
  add,
  constant,
  div,
  fromBits,
  less,
  mul,
  neg,
  pmax,
  pmin,
  select,
  shiftLeft,
  sub,
} from './lanes.ts'

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

/** A product that has `scaled` as a factor, as it is meant. */
export const unscale = (product: Value): Value => mul(product, constant(1 / scale))

/**
 * x - below where x > 0, else -below: a function like x sigmoid(x) from how far it is below relu. Nothing cancels, as long as that
 * is at most x/2; zeros keep their sign, NaN stays NaN. Without a choice of lanes, which takes three instructions.
 */
export const reluMinus = (x: Value, below: Value): Value => sub(pmax(x, constant(-0)), below)

/** `slope` where x < 0, else 1 - `slope`: the derivative of what differs from relu by an even function. */
export const reluSlope = (x: Value, slope: Value): Value =>
  select(less(x, constant(0)), slope, sub(constant(1), slope))

/** x sigmoid(v), within 4 ulp, where x and v have one sign; `size` is |x|, held where the result is 0. */
export function timesSigmoid(x: Value, size: Value, v: Value): Value {
  const { value, scaled } = decay(pmin(abs(v), constant(110)))
  return reluMinus(x, unscale(div(mul(size, scaled), add(value, constant(1)))))
}

/** The derivative of x sigmoid(v), from z = |x| v'. It has a zero, near which terms cancel. */
export function timesSigmoidSlope(x: Value, v: Value, z: Value): Value {
  const { value, scaled } = decay(pmin(abs(v), constant(110)))
  const inverse = div(constant(1), add(value, constant(1)))
  const inner = sub(constant(1), mul(z, inverse))
  return reluSlope(x, unscale(mul(mul(scaled, inverse), inner)))
}
