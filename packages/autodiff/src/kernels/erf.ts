import { expReduced, reduce } from './approximations.ts'
import { type Decay, decay } from './decay.ts'
import type { Value } from './lanes.ts'
import {
  abs,
  add,
  and,
  bits,
  constant,
  fromBits,
  integer,
  less,
  mul,
  mulAdd,
  or,
  pmin,
  select,
  shiftLeft,
  sub,
} from './lanes.ts'

const horner = (x: Value, [highest, ...rest]: readonly number[]): Value =>
  rest.reduce<Value>((sum, c) => mulAdd(sum, x, constant(c)), constant(highest!))

// Minimax fits, highest power first: erf(x) / x by x^2, log(1 - erf(x)) by x, and the two of a ratio whose coefficients are all
// positive, so that nothing cancels.
const near = [-5.9994062e-4, 4.9948304e-3, -0.02676772, 0.11281846, -0.376124965, 1.12837915]
const far = [-1.240125e-3, 0.015488558, -0.090830036, -0.65117509, -1.11988284, -1.9658889e-3]
const tailOver = [4.1531838e-3, 0.04088083, 0.183968276, 0.4392823, 0.5]
const tailUnder = [0.010410376, 0.10247916, 0.47140641, 1.20554475, 1.67644961, 1]

/**
 * The error function, within 2.6 ulp: x P(x^2) up to |x| = 0.92, then 1 - e^Q(|x|) and the sign of x.
 *
 * erf(-0) = -0, 1 from |x| = 3.92 on, erf(NaN) = NaN.
 */
export function erf(x: Value): Value {
  const size = pmin(abs(x), constant(4))
  const small = mul(x, horner(mul(x, x), near))
  const { r, biased } = reduce(horner(size, far), 127)
  const power = mul(expReduced(r), fromBits(shiftLeft(biased, 23)))
  const large = fromBits(or(bits(sub(constant(1), power)), and(bits(x), integer(0x80000000))))
  return select(less(size, constant(0.92)), small, large)
}

/** e^(-weight size^2), within 2 ulp, for a weight of 1 or 1/2 and weight size^2 <= 110. */
export function bell(size: Value, weight: number): Decay {
  // Twelve bits of size, whose square is exact, and the rest: e^-100 takes a hundred times the relative error of 100.
  const high = fromBits(and(bits(size), integer(0xfffff000)))
  const rest = mul(mul(sub(size, high), constant(weight)), add(size, high))
  return decay(mul(mul(high, high), constant(weight)), rest)
}

/**
 * The parts of the normal distribution's tail beyond `size`, 0 <= size <= 14.8: e^(-size^2/2) R(size), with R = over / under.
 * R is a minimax fit of degrees 4 and 5, 6e-9 relative.
 */
export function normalTail(size: Value): Decay & { over: Value; under: Value } {
  return { ...bell(size, 0.5), over: horner(size, tailOver), under: horner(size, tailUnder) }
}
