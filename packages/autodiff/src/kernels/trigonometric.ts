import type { Doubles, Longs } from './doubles.ts'
import * as d from './doubles.ts'
import { abs, constant, greater, or, selectRarely, type Value, xor } from './lanes.ts'

// pi / 2 in two parts; the first has 32 bits, so that its product with a whole number below 2^21 is exact.
const halfPiHigh = 1.5707963267341256
const halfPiLow = 6.077100506506192e-11

// 2 / pi, 28 bits at a time: products with a float32 are exact.
const twoOverPi = [170891318, 240010261, 44024437, 131200308, 232525238, 43358524, 70845471]

/**
 * A function of x = n pi / 2 + r, from r with |r| <= pi / 4, and n, whose lowest bits say how many quarter turns there were.
 *
 * Up to 2^20 in the manner of Cody & Waite, beyond in that of Payne & Hanek: right for every float32.
 */
function ofAngle(f: (r: Doubles, n: Longs) => Doubles, x: Value): Value {
  const near = d.inDoubles((y) => {
    const shifted = d.add(d.mul(y, d.constant(2 / Math.PI)), d.constant(d.magic))
    const n = d.sub(shifted, d.constant(d.magic))
    const r = d.sub(d.sub(y, d.mul(n, d.constant(halfPiHigh))), d.mul(n, d.constant(halfPiLow)))
    return f(r, d.bits(shifted))
  }, x)
  const far = d.inDoubles((y) => {
    const { whole, rest } = turns(y)
    return f(d.mul(rest, d.constant(Math.PI / 2)), d.bits(d.add(whole, d.constant(d.magic))))
  }, x)
  return selectRarely(greater(abs(x), constant(2 ** 20)), far, near)
}

/**
 * x 2 / pi, but for multiples of 4, as a whole number and a rest of at most 1/2. After Payne & Hanek, Radian reduction for
 * trigonometric functions (1983): of each part's product multiples of 4 are left out before they are added, and the whole
 * part of a sum before the next one is: only the last sums round.
 */
function turns(x: Doubles): { whole: Doubles; rest: Doubles } {
  let whole = d.constant(0)
  let rest = d.constant(0)
  for (const [i, part] of twoOverPi.entries()) {
    const product = d.mul(x, d.constant(part * 2 ** (-28 * (i + 1))))
    const multiple = d.mul(d.nearest(d.mul(product, d.constant(0.25))), d.constant(4))
    const sum = d.add(rest, d.sub(product, multiple))
    const nearest = d.nearest(sum)
    whole = d.add(whole, nearest)
    rest = d.sub(sum, nearest)
  }
  return { whole, rest }
}

// The polynomials of FreeBSD's `k_sinf.c` and `k_cosf.c` (Bruce Evans), with errors of 2^-37.5 and 2^-34.1.
function sineOf(r: Doubles): Doubles {
  const series = d.polynomial(
    d.mul(r, r),
    [1, -0.16666666641626524, 0.008333329385889463, -0.00019839334836096632, 2.718311493989822e-6],
  )
  // A product keeps the sign of zero, where a sum would not.
  return d.mul(r, series)
}

function cosineOf(r: Doubles): Doubles {
  return d.polynomial(
    d.mul(r, r),
    [1, -0.499999997251031, 0.04166662332373906, -0.001388676377460993, 2.439044879627741e-5],
  )
}

/** The sign bit where there was an odd number of half turns. */
const halfTurn = (n: Longs): Longs => d.shiftLeft(d.shiftRight(n, 1), 63)

/** The sine of r and n quarter turns. */
const sineAfter = (r: Doubles, n: Longs): Doubles =>
  d.fromBits(xor(d.bits(d.select(d.isOdd(n), cosineOf(r), sineOf(r))), halfTurn(n)))

/**
 * The sine of radians, within 0.51 ulp for every float32; NaN of infinities.
 *
 * sin(-0) = -0, and sin(x) = x for tiny x.
 */
export function sin(x: Value): Value {
  return ofAngle(sineAfter, x)
}

/** The cosine of radians, within 0.51 ulp for every float32; NaN of infinities. */
export function cos(x: Value): Value {
  return ofAngle((r, n) => sineAfter(r, d.addBits(n, d.bits(d.constant(2 ** -1074)))), x)
}

/** The tangent of radians, within 0.51 ulp for every float32: sine by cosine; NaN of infinities. */
export function tan(x: Value): Value {
  return ofAngle((r, n) => {
    const [sine, cosine, odd] = [sineOf(r), cosineOf(r), d.isOdd(n)]
    const quotient = d.div(d.select(odd, cosine, sine), d.select(odd, sine, cosine))
    return d.fromBits(xor(d.bits(quotient), d.shiftLeft(n, 63)))
  }, x)
}

/** atan(a / b) for a, b >= 0, between 0 and pi / 2. */
function arcTangent(a: Doubles, b: Doubles): Doubles {
  // Infinities and zeros become numbers whose quotient is right: 1 of two infinities, 0 of two zeros.
  const p = d.pmin(a, d.constant(1e300))
  const q = d.pmax(d.pmin(b, d.constant(1e300)), d.constant(1e-300))
  const steep = d.greater(p, d.mul(q, d.constant(1 + Math.SQRT2)))
  const middle = d.greater(p, d.mul(q, d.constant(Math.SQRT2 - 1)))
  // Turned by -90 or -45 degrees where that leaves at most 22.5.
  const over = d.select(steep, d.neg(q), d.select(middle, d.sub(p, q), p))
  const under = d.select(steep, p, d.select(middle, d.add(p, q), q))
  const half = d.constant(Math.PI / 2)
  const start = d.select(steep, half, d.select(middle, d.constant(Math.PI / 4), d.constant(0)))
  const t = d.div(over, under)
  const z = d.mul(t, t)
  const series = d.polynomial(
    z,
    [
      -0.33333332499144724, 0.19999903909061773, -0.14282007775180078, 0.11044691715834604,
      -0.08476269368727235, 0.04744048289596996,
    ],
  )
  return d.add(start, d.add(t, d.mul(d.mul(t, z), series)))
}

/** The angle whose tangent is x, between -pi / 2 and pi / 2, within 0.51 ulp. atan(-0) = -0, atan(+-Inf) = +-pi / 2. */
export function atan(x: Value): Value {
  return d.inDoubles((y) => d.fromBits(or(d.bits(arcTangent(d.abs(y), d.constant(1))), d.signOf(y))), x)
}

/**
 * The angle of the point (x, y), between -pi and pi, within 0.51 ulp, as IEEE 754 has it: 0 or pi at a zero y by the sign of
 * x, odd multiples of pi / 4 where both are infinite. A quotient that overflows or underflows does no harm.
 */
export function atan2(y: Value, x: Value): Value {
  return d.inDoubles(
    (p, q) => {
      const angle = arcTangent(d.abs(p), d.abs(q))
      const left = d.isNegative(q)
      return d.fromBits(or(d.bits(d.select(left, d.sub(d.constant(Math.PI), angle), angle)), d.signOf(p)))
    },
    y,
    x,
  )
}

/**
 * asin |x| = s + s z P(z) with s = |x| up to 1/2; beyond, twice the same at s = sqrt((1 - |x|) / 2) is what is missing to
 * pi / 2. NaN where |x| > 1.
 */
function arcSine(size: Doubles, small: Longs): Doubles {
  const half = d.mul(d.sub(d.constant(1), size), d.constant(0.5))
  const z = d.select(small, d.mul(size, size), half)
  const s = d.select(small, size, d.sqrt(half))
  const series = d.polynomial(
    z,
    [
      0.16666667180194697, 0.07499948902322529, 0.04465997108087248, 0.03011253684837962,
      0.024604649714741585, 0.00750964211872974, 0.034646148066264336,
    ],
  )
  return d.add(s, d.mul(d.mul(s, z), series))
}

const isSmall = (size: Doubles): Longs => d.lessEqual(size, d.constant(0.5))

/** The angle whose sine is x, between -pi / 2 and pi / 2, within 0.51 ulp; NaN where |x| > 1. asin(-0) = -0. */
export function asin(x: Value): Value {
  return d.inDoubles((y) => {
    const size = d.abs(y)
    const small = isSmall(size)
    const part = arcSine(size, small)
    const angle = d.select(small, part, d.sub(d.constant(Math.PI / 2), d.add(part, part)))
    return d.fromBits(xor(d.bits(angle), d.signOf(y)))
  }, x)
}

/** The angle whose cosine is x, between 0 and pi, within 0.51 ulp; NaN where |x| > 1. acos(1) = 0. */
export function acos(x: Value): Value {
  return d.inDoubles((y) => {
    const size = d.abs(y)
    const small = isSmall(size)
    const part = arcSine(size, small)
    const signed = d.fromBits(xor(d.bits(d.select(small, part, d.add(part, part))), d.signOf(y)))
    const negative = d.isNegative(y)
    const start = d.select(negative, d.constant(Math.PI), d.constant(0))
    return d.select(small, d.sub(d.constant(Math.PI / 2), signed), d.add(start, signed))
  }, x)
}
