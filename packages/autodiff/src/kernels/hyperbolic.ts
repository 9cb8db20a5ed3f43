import type { Doubles } from './doubles.ts'
import * as d from './doubles.ts'
import { or, type Value } from './lanes.ts'
import { exp2Doubles, log2Doubles } from './powers.ts'

/** e^|x|, up to e^200: as a float32 that is an infinity. */
function growth(x: Doubles): Doubles {
  return exp2Doubles(d.mul(d.pmin(d.abs(x), d.constant(200)), d.constant(Math.LOG2E)))
}

/**
 * The hyperbolic sine (e^x - e^-x) / 2, within 0.51 ulp; a minimax polynomial up to |x| = 1, where that would cancel.
 *
 * sinh(-0) = -0, and an infinity only where the result is beyond float32, from 89.42 on.
 */
export function sinh(x: Value): Value {
  return d.inDoubles((y) => {
    const z = d.mul(y, y)
    const series = d.polynomial(
      z,
      [0.16666666497553564, 0.00833335005858026, 0.00019836159711292576, 2.81695156176796e-6],
    )
    const near = d.add(y, d.mul(d.mul(y, z), series))
    const e = growth(y)
    const far = d.mul(d.sub(e, d.div(d.constant(1), e)), d.constant(0.5))
    return d.select(d.lessEqual(z, d.constant(1)), near, d.fromBits(or(d.bits(far), d.signOf(y))))
  }, x)
}

/** The hyperbolic cosine (e^x + e^-x) / 2, within 0.51 ulp; an infinity only beyond float32, from 89.42 on. */
export function cosh(x: Value): Value {
  return d.inDoubles((y) => {
    const e = growth(y)
    return d.mul(d.add(e, d.div(d.constant(1), e)), d.constant(0.5))
  }, x)
}

// A logarithm near 1 has an error of 2^-53: of x below this x itself is nearer.
const tiny = 2 ** -13

/** log(ratio) * by with the sign of x, and x where it is tiny or not finite. */
function inverse(x: Doubles, ratio: Doubles, by: number): Doubles {
  const size = d.abs(x)
  const value = d.mul(log2Doubles(ratio), d.constant(Math.LN2 * by))
  return d.fromBits(or(d.bits(d.select(d.greater(size, d.constant(tiny)), value, size)), d.signOf(x)))
}

const beyond = 2 ** 200

/** The number whose hyperbolic sine is x: log(|x| + sqrt(x^2 + 1)) with the sign of x, within 0.51 ulp. */
export function asinh(x: Value): Value {
  return d.inDoubles((y) => {
    const size = d.abs(y)
    const root = d.sqrt(d.add(d.mul(y, y), d.constant(1)))
    const angle = inverse(y, d.add(size, root), 1)
    return d.select(d.lessEqual(size, d.constant(beyond)), angle, y)
  }, x)
}

/** The number from 0 on whose hyperbolic cosine is x: log(x + sqrt(x^2 - 1)), within 0.51 ulp; NaN below 1. */
export function acosh(x: Value): Value {
  return d.inDoubles((y) => {
    const root = d.sqrt(d.sub(d.mul(y, y), d.constant(1)))
    const value = d.mul(log2Doubles(d.add(y, root)), d.constant(Math.LN2))
    const outside = d.select(d.greater(y, d.constant(1)), y, d.constant(NaN))
    const inside = d.select(d.greater(d.constant(1), y), outside, value)
    return d.select(d.lessEqual(d.abs(y), d.constant(beyond)), inside, outside)
  }, x)
}

/**
 * The number whose hyperbolic tangent is x: log((1 + |x|) / (1 - |x|)) / 2 with the sign of x, within 0.51 ulp.
 *
 * atanh(-0) = -0, atanh(+-1) = +-Inf, NaN where |x| > 1.
 */
export function atanh(x: Value): Value {
  return d.inDoubles((y) => {
    const size = d.abs(y)
    const one = d.constant(1)
    const angle = inverse(y, d.div(d.add(one, size), d.sub(one, size)), 0.5)
    // 1 / 0 with the sign of x is the infinity at 1.
    const edge = d.fromBits(or(d.bits(d.constant(Infinity)), d.signOf(y)))
    const outside = d.select(d.lessEqual(size, one), edge, d.constant(NaN))
    return d.select(d.greater(one, size), angle, outside)
  }, x)
}
