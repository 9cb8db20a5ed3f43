import type { Bits, Value } from './lanes.ts'
import {
  abs,
  add,
  and,
  bits,
  constant,
  div,
  equal,
  fromBits,
  fromInteger,
  greater,
  integer,
  less,
  maskBits,
  mul,
  mulAdd,
  or,
  pmax,
  pmin,
  select,
  shiftLeft,
  shiftRight,
  sub,
  subBits,
  xor,
} from './lanes.ts'

const signBit = 0x80000000
// Added to a number below 2^22 it rounds that to a whole number, found in the low bits: faster than an instruction.
const magic = 12582912
// ln 2 in two parts; the first has ten bits, so its product with a whole number up to 2^14 is exact.
export const ln2High = 0.693359375
export const ln2Low = -2.1219444005469057e-4

/**
 * x = n ln 2 + r, with n whole and |r| <= ln 2 / 2. The low bits of `biased` are n + bias.
 * With a bias of 127 they are the exponent of 2^n as it is encoded, at the wrong end of the word.
 *
 * @param nearly what n is chosen by, where x is a part of it that still lacks a little
 */
export function reduce(x: Value, bias: number, nearly: Value = x): { r: Value; biased: Bits } {
  const shifted = mulAdd(nearly, constant(Math.LOG2E), constant(magic + bias))
  const n = sub(shifted, constant(magic + bias))
  return { r: sub(sub(x, mul(n, constant(ln2High))), mul(n, constant(ln2Low))), biased: bits(shifted) }
}

/** exp(r) - 1 for |r| <= ln 2 / 2 by a minimax polynomial; Estrin's scheme: chains half as long as Horner's. */
export function expm1Reduced(r: Value): Value {
  const squared = mul(r, r)
  const low = mulAdd(r, constant(0.16666541993618011), constant(0.4999999701976776))
  const high = mulAdd(r, constant(0.00836664717644453), constant(0.04166720435023308))
  const q = mulAdd(squared, mulAdd(squared, constant(0.001388249802403152), high), low)
  return mulAdd(squared, q, r)
}

/** exp(r) for |r| <= ln 2 / 2. */
export const expReduced = (r: Value): Value => add(expm1Reduced(r), constant(1))

/**
 * e^x, within 1.1 ulp everywhere, results below 2^-126 included: 2^n e^r with |r| <= ln 2 / 2.
 *
 * exp(NaN) = NaN, exp(-Inf) = 0, Inf from 88.73, 0 below -103.98. After Cody & Waite, Software Manual for the
 * Elementary Functions (1980), chapter 6.
 */
export function exp(x: Value): Value {
  // x comes first in pmin and pmax: they keep their first operand when it is NaN.
  const { r, biased } = reduce(pmax(pmin(x, constant(89)), constant(-104)), 254)
  // 2^n as the product of two numbers half as far from 1: neither overflows, and only the last product rounds.
  const half = shiftLeft(shiftRight(biased, 1), 23)
  const rest = subBits(shiftLeft(biased, 23), half)
  return mul(mul(expReduced(r), fromBits(half)), fromBits(rest))
}

/** (log(1 + f) - f + f^2/2) / f^3 for 1 + f between sqrt(1/2) and sqrt 2, by a minimax polynomial. */
export function logSeries(f: Value): Value {
  const squared = mul(f, f)
  const p01 = mulAdd(f, constant(-0.2500081956386566), constant(0.3333333134651184))
  const p23 = mulAdd(f, constant(-0.16623356938362122), constant(0.20001226663589478))
  const p45 = mulAdd(f, constant(-0.13160182535648346), constant(0.14201758801937103))
  const p67 = mulAdd(f, constant(-0.07634493708610535), constant(0.12761574983596802))
  return mulAdd(mul(squared, squared), mulAdd(squared, p67, p45), mulAdd(squared, p23, p01))
}

/**
 * The natural logarithm, within 1 ulp: e ln 2 + log m with m between sqrt(1/2) and sqrt 2.
 *
 * log(0) = log(-0) = -Inf, log(x < 0) = NaN, log(Inf) = Inf. After Cephes `logf` (Moshier 1989), with a minimax
 * polynomial of degree 7 for (log(1 + f) - f + f^2/2) / f^3.
 */
export function log(x: Value): Value {
  const tiny = less(x, constant(2 ** -126))
  const normal = bits(select(tiny, mul(x, constant(2 ** 23)), x))
  // Counted from the encoding of sqrt(1/2), the exponent goes up where m would reach sqrt 2.
  const exponent = shiftRight(subBits(normal, integer(0x3f3504f3)), 23)
  const e = sub(fromInteger(exponent), fromBits(and(maskBits(tiny), bits(constant(23)))))
  const f = sub(fromBits(subBits(normal, shiftLeft(exponent, 23))), constant(1))
  const squared = mul(f, f)
  const p = logSeries(f)
  const small = sub(mulAdd(mul(f, squared), p, mul(e, constant(ln2Low))), mul(squared, constant(0.5)))
  const result = mulAdd(e, constant(ln2High), add(f, small))
  // Bits 0x7fc00000 are NaN; of zeros the quiet bit goes and the sign comes, which makes -Inf.
  const zero = and(maskBits(equal(x, constant(0))), integer(0x80400000))
  const outside = fromBits(xor(integer(0x7fc00000), zero))
  return select(greater(x, constant(0)), select(less(x, constant(Infinity)), result, x), outside)
}

/**
 * The hyperbolic tangent, within 2.7 ulp: E / (E + 2) with E = exp(2|x|) - 1, and the sign of x.
 *
 * tanh(-0) = -0, tanh(x) = x for tiny x, +-1 from |x| = 9.02 on, tanh(NaN) = NaN.
 */
export function tanh(x: Value): Value {
  const size = pmin(abs(x), constant(10))
  const { r, biased } = reduce(add(size, size), 127)
  const power = fromBits(shiftLeft(biased, 23))
  // 2^n (e^r - 1) + (2^n - 1) keeps the small digits: the second part is exact, and 0 where |2x| <= ln 2 / 2.
  const e = mulAdd(power, expm1Reduced(r), sub(power, constant(1)))
  return fromBits(or(bits(div(e, add(e, constant(2)))), and(bits(x), integer(signBit))))
}

/**
 * The logistic function 1 / (1 + e^-x), within 2.5 ulp: with e = exp(-|x|), 1 / (1 + e) or e / (1 + e) below 0.
 *
 * The second form is why small values keep their digits, down to 0 below -103.98. sigmoid(NaN) = NaN.
 */
export function sigmoid(x: Value): Value {
  const minus = fromBits(or(bits(x), integer(signBit)))
  const { r, biased } = reduce(pmax(minus, constant(-104)), 127 + 24)
  // 2^n may be too small to be encoded: scaled up by 2^24, then down, so that only the last product rounds.
  const e = mul(mul(expReduced(r), fromBits(shiftLeft(biased, 23))), constant(2 ** -24))
  return div(select(less(x, constant(0)), e, constant(1)), add(e, constant(1)))
}
