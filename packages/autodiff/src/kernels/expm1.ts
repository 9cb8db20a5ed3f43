import { expm1Reduced, ln2High, ln2Low, logSeries, reduce } from './approximations.ts'
import type { Value } from './lanes.ts'
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

/**
 * e^x - 1, within 1.6 ulp: 2^n (e^r - 1) + (2^n - 1), whose second part is exact where it matters.
 *
 * expm1(x) = x for tiny x, -0 too; -1 below -17.4, Inf from 88.73, expm1(NaN) = NaN.
 */
export function expm1(x: Value): Value {
  // Half of everything is computed, so that 2^128 is not needed just below the largest result.
  const { r, biased } = reduce(pmax(pmin(x, constant(89)), constant(-18)), 126)
  const power = fromBits(shiftLeft(biased, 23))
  const half = mulAdd(power, expm1Reduced(r), sub(power, constant(0.5)))
  return select(less(abs(x), constant(2 ** -26)), x, add(half, half))
}

/**
 * log(1 + x), within 1.5 ulp: the logarithm of u = 1 + x, and what x lost in that sum, over u.
 *
 * log1p(x) = x for tiny x, -0 too; -Inf at -1, NaN below, log1p(Inf) = Inf. After fdlibm `s_log1p.c` (Sun 1993).
 */
export function log1p(x: Value): Value {
  const one = constant(1)
  const u = add(x, one)
  // The smaller of the two is what was cut off.
  const lost = select(greater(u, constant(2)), sub(one, sub(u, x)), sub(x, sub(u, one)))
  const exponent = shiftRight(subBits(bits(u), integer(0x3f3504f3)), 23)
  const e = fromInteger(exponent)
  const f = sub(fromBits(subBits(bits(u), shiftLeft(exponent, 23))), one)
  const squared = mul(f, f)
  const tail = mulAdd(e, constant(ln2Low), div(lost, u))
  const small = sub(mulAdd(mul(f, squared), logSeries(f), tail), mul(squared, constant(0.5)))
  const result = mulAdd(e, constant(ln2High), add(f, small))
  const signed = fromBits(or(bits(result), and(bits(x), integer(0x80000000))))
  // Bits 0x7fc00000 are NaN; of -1 the quiet bit goes and the sign comes, which makes -Inf.
  const pole = and(maskBits(equal(x, constant(-1))), integer(0x80400000))
  const outside = fromBits(xor(integer(0x7fc00000), pole))
  return select(greater(x, constant(-1)), select(less(x, constant(Infinity)), signed, x), outside)
}

/**
 * log(1 + x) for x from 0 to 1, within 1.5 ulp, shorter than `log1p`: 2 artanh(s) with s = x / (2 + x), whose odd series is
 * short on [0, 1/3].
 */
export function log1pOfUnit(x: Value): Value {
  const s = div(x, add(x, constant(2)))
  const squared = mul(s, s)
  const low = mulAdd(squared, constant(0.4002159), constant(0.66666415))
  const high = mulAdd(squared, constant(0.28018094), constant(0.28000664))
  const p = mulAdd(mul(squared, squared), high, low)
  return mulAdd(mul(s, squared), p, add(s, s))
}
