import type { Doubles } from './doubles.ts'
import * as d from './doubles.ts'
import type { Value } from './lanes.ts'
import {
  abs,
  and,
  bits,
  constant,
  equal,
  floor,
  fromBits,
  greater,
  integer,
  less,
  maskBits,
  mul,
  not,
  notEqual,
  or,
  select,
  xor,
} from './lanes.ts'

const signBit = 0x80000000

/**
 * log2 x of positive normal numbers, with a relative error of 2^-42: e + log2 m with m between sqrt(1/2) and sqrt 2, as
 * 2 artanh(s) / ln 2 with s = (m - 1) / (m + 1). The coefficients are minimax, from a Remez exchange.
 *
 * As for fdlibm's `log` (Sun 1993), in whose notation z is s^2. 0 gives -1023, and infinities 1024.
 */
export function log2Doubles(x: Doubles): Doubles {
  const encoded = d.bits(x)
  // Counted from the encoding of sqrt(1/2), the exponent goes up where m would reach sqrt 2. It is kept above 0 by 1023.
  const one = d.bits(d.constant(1))
  const exponent = d.shiftRight(d.addBits(encoded, d.subBits(one, d.bits(d.constant(Math.SQRT1_2)))), 52)
  const m = d.fromBits(d.addBits(d.subBits(encoded, d.shiftLeft(exponent, 52)), one))
  const e = d.sub(d.fromBits(or(exponent, d.bits(d.constant(2 ** 52)))), d.constant(2 ** 52 + 1023))
  const s = d.div(d.sub(m, d.constant(1)), d.add(m, d.constant(1)))
  const series = d.polynomial(
    d.mul(s, s),
    [
      2.885390081778364, 0.9617966933016588, 0.5770781533582338, 0.41218978332173106, 0.3206449811039806,
      0.27302335674719347,
    ],
  )
  return d.add(e, d.mul(s, series))
}

/** 2^x for |x| < 1000, with a relative error of 2^-32: 2^n 2^r with |r| <= 1/2, by a minimax polynomial of degree 7. */
export function exp2Doubles(x: Doubles): Doubles {
  const shifted = d.add(x, d.constant(d.magic))
  const r = d.sub(x, d.sub(shifted, d.constant(d.magic)))
  const series = d.polynomial(
    r,
    [
      1, 0.6931471838167119, 0.2402265092079882, 0.055504003760446514, 0.009618056916018202,
      0.001334195036090993, 0.00015461368872378778, 1.335999024189626e-5,
    ],
  )
  return d.fromBits(d.addBits(d.bits(series), d.shiftLeft(d.bits(shifted), 52)))
}

/** Beyond +-200 every power of 2 rounds to 0 or an infinity, as a float32. */
const clamped = (x: Doubles): Doubles => d.pmax(d.pmin(x, d.constant(200)), d.constant(-200))

/** What has to be added to `log2Doubles(|x|)` where x is 0 (-Inf), infinite (Inf) or NaN; else 0. */
function beyond(size: Value): Value {
  const large = select(less(size, constant(Infinity)), constant(0), size)
  return select(equal(size, constant(0)), constant(-Infinity), large)
}

/**
 * The logarithm to base 2, within 0.51 ulp; exact for powers of 2, subnormal ones too.
 *
 * log2(0) = log2(-0) = -Inf, log2(x < 0) = NaN, log2(Inf) = Inf.
 */
export function log2(x: Value): Value {
  const checked = select(less(x, constant(0)), constant(NaN), beyond(abs(x)))
  return d.inDoubles((y, special) => d.add(log2Doubles(d.abs(y)), special), x, checked)
}

/**
 * a^b, within 0.51 ulp: 2^(b log2 |a|) in float64, and the sign of a where b is odd.
 *
 * Special values are those of IEEE 754-2019, 9.2.1: a^0 = 1 and 1^b = 1 even for NaN, (-1)^(+-Inf) = 1; a negative base
 * gives NaN unless b is whole.
 */
export function pow(a: Value, b: Value): Value {
  const size = abs(a)
  const raised = d.inDoubles(
    (x, y, special) => exp2Doubles(clamped(d.mul(y, d.add(log2Doubles(x), special)))),
    size,
    b,
    beyond(size),
  )
  const whole = equal(floor(b), b)
  const half = mul(b, constant(0.5))
  const odd = and(whole, notEqual(floor(half), half))
  const signed = fromBits(xor(bits(raised), and(and(bits(a), maskBits(odd)), integer(signBit))))
  const negative = and(less(a, constant(0)), greater(a, constant(-Infinity)))
  const real = select(and(negative, not(whole)), constant(NaN), signed)
  const infinite = equal(abs(b), constant(Infinity))
  const one = or(or(equal(b, constant(0)), equal(a, constant(1))), and(equal(a, constant(-1)), infinite))
  return select(one, constant(1), real)
}

// (1023 - 1023 / 3 - 0.033) 2^32, from FreeBSD's `s_cbrt.c`: a third of an exponent, and its bias.
const thirdOfBias = 715094163 * 2 ** 12

/** A cubically closer root: Halley's step from t to t (t^3 + 2x) / (2 t^3 + x). */
function halley(t: Doubles, x: Doubles): Doubles {
  const cube = d.mul(d.mul(t, t), t)
  return d.mul(t, d.div(d.add(d.add(cube, x), x), d.add(d.add(cube, cube), x)))
}

/**
 * The cube root, within 0.5001 ulp, with the sign of x; +-0 and +-Inf stay as they are.
 *
 * A third of the encoding is within 4 % of the encoding of the root (Kahan 1991), and two steps of Halley make 2^-45 of it.
 */
export function cbrt(x: Value): Value {
  const root = d.inDoubles((y) => {
    // The upper 44 bits of the encoding as a number, and back: below 2^52 a whole number is found in the low bits.
    const whole = d.constant(2 ** 52)
    const encoded = d.sub(d.fromBits(or(d.shiftRight(d.bits(y), 20), d.bits(whole))), whole)
    const third = d.add(d.mul(encoded, d.constant(1 / 3)), d.constant(thirdOfBias + 2 ** 52))
    return halley(halley(d.fromBits(d.shiftLeft(d.bits(third), 20)), y), y)
  }, abs(x))
  const ordinary = and(less(abs(x), constant(Infinity)), notEqual(x, constant(0)))
  return select(ordinary, fromBits(or(bits(root), and(bits(x), integer(signBit)))), x)
}

/** sqrt(a^2 + b^2), within 0.51 ulp, with no overflow on the way; Inf if either is infinite, even beside NaN. */
export function hypot(a: Value, b: Value): Value {
  const root = d.inDoubles((x, y) => d.sqrt(d.add(d.mul(x, x), d.mul(y, y))), a, b)
  const infinite = or(equal(abs(a), constant(Infinity)), equal(abs(b), constant(Infinity)))
  return select(infinite, constant(Infinity), root)
}
