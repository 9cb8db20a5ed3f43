import type { Node, Value } from './lanes.ts'
import { and, node } from './lanes.ts'

/**
 * Computations on float64, for where float32 loses digits: the four lanes are widened to two pairs, and what comes out is
 * rounded back. A float32 that is subnormal is not as a float64, and its square does not overflow.
 *
 * @example
 * import * as d from './doubles.ts'
 * const length = (a: Value, b: Value): Value =>
 *   d.inDoubles((x, y) => d.sqrt(d.add(d.mul(x, x), d.mul(y, y))), a, b)
 */

/** Two float64 numbers. */
export type Doubles = Node<'doubles'>
/** Two groups of 64 bits: an encoding, an int64, or a truth (all bits set, or none). */
export type Longs = Node<'longs'>

const doubles = (op: Node['op'], ...inputs: Node[]): Doubles => node('doubles', op, inputs)
const longs = (op: Node['op'], inputs: readonly Node[], value = 0): Longs => node('longs', op, inputs, value)

/** What `f` gives for the numbers as float64, rounded to float32: beyond its range to an infinity. */
export function inDoubles(f: (...inputs: Doubles[]) => Doubles, ...inputs: Value[]): Value {
  const low = f(...inputs.map((x) => doubles('promote', x)))
  const high = f(...inputs.map((x) => doubles('promote', node('number', 'upper', [x, x]))))
  return node('number', 'join', [node('number', 'demote', [low]), node('number', 'demote', [high])])
}

/** `x` in both lanes; it may not be -0. */
export const constant = (x: number): Doubles => node('doubles', 'double', [], x)
/** a + b */
export const add = (a: Doubles, b: Doubles): Doubles => doubles('doublesAdd', a, b)
/** a - b */
export const sub = (a: Doubles, b: Doubles): Doubles => doubles('doublesSub', a, b)
/** a * b */
export const mul = (a: Doubles, b: Doubles): Doubles => doubles('doublesMul', a, b)
/** a * b + c, rounded twice; once in a numeric mode that contracts. */
export const mulAdd = (a: Doubles, b: Doubles, c: Doubles): Doubles => doubles('doublesMulAdd', a, b, c)
/** a / b */
export const div = (a: Doubles, b: Doubles): Doubles => doubles('doublesDiv', a, b)
/** -x */
export const neg = (x: Doubles): Doubles => doubles('doublesNeg', x)
/** x without its sign bit. */
export const abs = (x: Doubles): Doubles => doubles('doublesAbs', x)
/** The square root, correctly rounded. */
export const sqrt = (x: Doubles): Doubles => doubles('doublesSqrt', x)
/** The nearest whole number, the even one of two. */
export const nearest = (x: Doubles): Doubles => doubles('doublesNearest', x)
/** `b < a ? b : a`: keeps `a` if it is NaN. */
export const pmin = (a: Doubles, b: Doubles): Doubles => doubles('doublesPmin', a, b)
/** `a < b ? b : a`: keeps `a` if it is NaN. */
export const pmax = (a: Doubles, b: Doubles): Doubles => doubles('doublesPmax', a, b)

/** Where a > b; nowhere if either is NaN. */
export const greater = (a: Doubles, b: Doubles): Longs => longs('doublesGreater', [a, b])
/** Where a <= b; nowhere if either is NaN. */
export const lessEqual = (a: Doubles, b: Doubles): Longs => longs('doublesLessEqual', [a, b])
/** In each lane `a` where the bits are set, else `b`. */
export const select = (mask: Longs, a: Doubles, b: Doubles): Doubles => doubles('select', a, b, mask)

/** The encoding of x: bit 63 the sign, 11 bits of exponent, 52 of fraction. Costs nothing. */
export const bits = (x: Doubles): Longs => longs('cast', [x])
/** The number that these bits encode. Costs nothing. */
export const fromBits = (x: Longs): Doubles => doubles('cast', x)
/** a + b as int64, wrapping around. */
export const addBits = (a: Longs, b: Longs): Longs => longs('addLongs', [a, b])
/** a - b as int64, wrapping around. */
export const subBits = (a: Longs, b: Longs): Longs => longs('subLongs', [a, b])
/** Bits moved up by `by` of 0 to 63 places. */
export const shiftLeft = (a: Longs, by: number): Longs => longs('shiftLeftLongs', [a], by)
/** Bits moved down by `by` of 0 to 63 places; zeros come in from above: x64 has no instruction for signs. */
export const shiftRight = (a: Longs, by: number): Longs => longs('shiftRightLongs', [a], by)

/** Added to a number below 2^51 it rounds that to a whole number, found in the low bits. */
export const magic = 6755399441055744

/** c0 + c1 x + c2 x^2 + …: pairs of terms first (Estrin's scheme), so that chains are short. */
export function polynomial(x: Doubles, coefficients: readonly number[]): Doubles {
  let terms = coefficients.map(constant)
  for (let power = x; terms.length > 1; power = mul(power, power)) {
    const pairs: Doubles[] = []
    for (let i = 0; i < terms.length; i += 2) {
      const above = terms[i + 1]
      pairs.push(above === undefined ? terms[i]! : mulAdd(above, power, terms[i]!))
    }
    terms = pairs
  }
  return terms[0]!
}

/** The sign bit of x, alone. */
export const signOf = (x: Doubles): Longs => and(bits(x), bits(neg(constant(0))))
/** All bits set where the lowest bit is. */
export const isOdd = (x: Longs): Longs => subBits(bits(constant(0)), and(x, bits(constant(2 ** -1074))))
/** All bits set where x is below 0, or -0. */
export const isNegative = (x: Doubles): Longs => isOdd(shiftRight(bits(x), 63))
