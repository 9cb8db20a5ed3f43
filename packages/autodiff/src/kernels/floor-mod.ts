import type { Value } from './lanes.ts'
import {
  abs,
  add,
  and,
  bits,
  constant,
  div,
  equal,
  floor,
  fromBits,
  greater,
  integer,
  less,
  mul,
  not,
  or,
  select,
  sub,
  xor,
} from './lanes.ts'

const signBit = 0x80000000
const lowBits = 0xfff

/**
 * x mod y for x >= 0, y > 0 and x < 2^22 y: exact. Halves of y and of the quotient have 12 and 11 bits, so every product and
 * every difference below is a float32 number; the quotient is at most one too high.
 */
function remainder(x: Value, y: Value): Value {
  const yHigh = fromBits(and(bits(y), integer(~lowBits)))
  const yLow = sub(y, yHigh)
  const q = floor(div(x, y))
  const qHigh = mul(floor(mul(q, constant(2 ** -11))), constant(2 ** 11))
  const qLow = sub(q, qHigh)
  const left = sub(sub(x, mul(qHigh, yHigh)), mul(qHigh, yLow))
  const rest = sub(sub(left, mul(qLow, yHigh)), mul(qLow, yLow))
  const isBelow = less(rest, constant(0))
  // An infinite y has no halves.
  return select(less(x, y), x, select(isBelow, add(rest, y), rest))
}

/**
 * a - b floor(a / b), exact but for one rounding where the signs differ, while |a| < 2^44 |b|; beyond it is 0. The sign is that of
 * b, for 0 too. NaN where b is 0 or a infinite.
 */
export function floorMod(a: Value, b: Value): Value {
  const [x, y] = [abs(a), abs(b)]
  const size = remainder(remainder(x, mul(y, constant(2 ** 22))), y)
  const near = select(less(x, mul(y, constant(2 ** 44))), size, constant(0))
  const differs = xor(less(a, constant(0)), less(b, constant(0)))
  const turned = select(and(differs, not(equal(near, constant(0)))), sub(y, near), near)
  const signed = fromBits(or(bits(turned), and(bits(b), integer(signBit))))
  const isDefined = and(less(x, constant(Number.POSITIVE_INFINITY)), greater(y, constant(0)))
  return select(isDefined, signed, constant(Number.NaN))
}
