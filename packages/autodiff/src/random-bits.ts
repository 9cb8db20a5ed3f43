import { failRange } from './fail.ts'
import { domain, type Key, requireKey, type Words } from './threefry.ts'
import { TracedKey } from './traced-key.ts'

// Elements 2b and 2b + 1 are the two words of block b: element i depends on (key, i) alone, never on `count`.

/**
 * `count` random words, every bit fair: element i is word i mod 2 of `threefry2x32(key, [floor(i / 2), domain.bits])`.
 *
 * @throws RangeError when `count` is not an integer from 0 to 2^32 - 1
 *
 * @example
 * assert.deepEqual(randomBits(key(1), 100).subarray(0, 3), randomBits(key(1), 3))
 */
export function randomBits(key: Key, count: number): Uint32Array {
  check('randomBits', key, count)
  return fillBits(key, 0, new Uint32Array(count))
}

/**
 * `count` numbers spread evenly over [low, high): `low + (high - low) * k / 2^24` with 24 fair bits k, rounded to float32
 * and kept inside. `high` itself never comes, not even by rounding.
 *
 * @throws RangeError when `low < high` does not hold, one is not finite, or no float32 number lies between them
 *
 * @example
 * assert.ok(uniformValues(key(1), 1000, -2, 3).every((v) => v >= -2 && v < 3))
 */
export function uniformValues(key: Key, count: number, low = 0, high = 1): Float32Array {
  check('uniformValues', key, count)
  checkRange('uniformValues', low, high)
  return fillUniform(key, new Float32Array(count), low, high)
}

/** Writes the words that `fillBits` writes from block 0 on: for memory where there is a faster way. */
export type WriteBits = (key: Readonly<Words>, block: 0, into: Uint32Array) => Uint32Array

/** What `uniformValues` gives, written into `into`: the bits first, then the numbers in their place. */
export function fillUniform(
  key: Readonly<Words>,
  into: Float32Array,
  low: number,
  high: number,
  write: WriteBits = fillBits,
): Float32Array {
  const bits = write(key, 0, wordsOf(into))
  const first = -float32Below(-low, true)
  const last = float32Below(high, false)
  const step = (high - low) / 16777216
  for (let i = 0; i < into.length; i++) {
    const value = Math.fround(low + step * (bits[i]! >>> 8))
    into[i] = value < first ? first : value > last ? last : value
  }
  return into
}

/** Throws the RangeErrors of `uniformValues` for a range that holds no numbers. */
export function checkRange(operation: string, low: number, high: number): void {
  if (!(low < high && Number.isFinite(high - low))) {
    failRange(operation, `low must be below high and both finite, got low ${low} and high ${high}`)
  }
  const first = -float32Below(-low, true)
  const last = float32Below(high, false)
  if (!(first <= last && Number.isFinite(last - first))) {
    failRange(operation, `no finite float32 number lies in [low, high), got low ${low} and high ${high}`)
  }
}

/**
 * `count` numbers from the normal distribution with mean 0 and variance 1: {@link normalQuantile} of `(bits + 0.5) / 2^32`,
 * so at most 6.34 in size. The same bits on every platform: only + - * / and sqrt are used, which IEEE 754 defines.
 *
 * @example
 * const values = normalValues(key(1), 10000)
 * assert.ok(Math.abs(values.reduce((sum, v) => sum + v, 0) / 10000) < 0.05)
 */
export function normalValues(key: Key, count: number): Float32Array {
  check('normalValues', key, count)
  return fillNormal(key, new Float32Array(count))
}

/** What `normalValues` gives, written into `into`: the bits first, then the numbers in their place. */
export function fillNormal(
  key: Readonly<Words>,
  into: Float32Array,
  write: WriteBits = fillBits,
): Float32Array {
  const bits = write(key, 0, wordsOf(into))
  for (let i = 0; i < into.length; i++) into[i] = normalQuantile((bits[i]! + 0.5) / 4294967296)
  return into
}

/** The probability that a standard normal variable lies in [-2, 2]. */
const withinTwo = 0.9544997361036416

/** Normal numbers given that they lie in [-2, 2]: `fillNormal` on the probabilities of that interval. */
export function fillTruncatedNormal(
  key: Readonly<Words>,
  into: Float32Array,
  write: WriteBits = fillBits,
): Float32Array {
  const bits = write(key, 0, wordsOf(into))
  for (let i = 0; i < into.length; i++) {
    into[i] = normalQuantile(0.5 + withinTwo * ((bits[i]! + 0.5) / 4294967296 - 0.5))
  }
  return into
}

/**
 * `count` numbers that are 1 with probability `p`, else 0: 1 where the element's `bits / 2^32 < p`.
 *
 * @throws RangeError unless 0 <= p <= 1
 *
 * @example
 * assert.deepEqual([...bernoulliValues(key(1), 3, 1)], [1, 1, 1])
 * assert.deepEqual([...bernoulliValues(key(1), 3, 0)], [0, 0, 0])
 */
export function bernoulliValues(key: Key, count: number, p: number): Float32Array {
  check('bernoulliValues', key, count)
  checkProbability('bernoulliValues', p)
  return fillBernoulli(key, new Float32Array(count), p)
}

/** What `bernoulliValues` gives, written into `into`: the bits first, then the numbers in their place. */
export function fillBernoulli(key: Readonly<Words>, into: Float32Array, p: number): Float32Array {
  const bits = fillBits(key, 0, wordsOf(into))
  const limit = p * 4294967296
  for (let i = 0; i < into.length; i++) into[i] = bits[i]! < limit ? 1 : 0
  return into
}

/** Throws the RangeError of `bernoulliValues` for a number that is no probability. */
export function checkProbability(operation: string, p: number): void {
  if (!(p >= 0 && p <= 1)) failRange(operation, `the probability must lie in [0, 1], got ${p}`)
}

/**
 * The integers 0 to `count - 1` in random order, each order equally likely: Fisher and Yates' exchange, its positions drawn
 * without bias by refusing the words of the last, incomplete round.
 *
 * @example
 * assert.deepEqual([...permutationValues(key(1), 5)].sort(), [0, 1, 2, 3, 4])
 */
export function permutationValues(key: Key, count: number): Uint32Array {
  check('permutationValues', key, count)
  return shuffled(key, new Uint32Array(count))
}

/** What `permutationValues` gives, written into `into`: as integers first, then as numbers in their place. */
export function fillPermutation(key: Readonly<Words>, into: Float32Array): Float32Array {
  const integers = shuffled(key, wordsOf(into))
  for (let i = 0; i < into.length; i++) into[i] = integers[i]!
  return into
}

function shuffled(key: Readonly<Words>, out: Uint32Array): Uint32Array {
  for (let i = 0; i < out.length; i++) out[i] = i
  // One word for each exchange is enough but for those that are refused.
  const supply = Math.min(some.length, out.length + (out.length & 1))
  let block = 0
  let next = supply
  for (let i = out.length - 1; i > 0; ) {
    if (next === supply) {
      fillBits(key, block, some, supply)
      block += supply / 2
      next = 0
    }
    const word = some[next++]!
    const j = word % (i + 1)
    if (word - j > 4294967295 - i) continue
    const kept = out[i]!
    out[i] = out[j]!
    out[j] = kept
    i--
  }
  return out
}

/** Words on their way to a permutation: kept, so that drawing one allocates nothing. */
const some: Uint32Array = /*@__PURE__*/ new Uint32Array(256)

/**
 * The number below which a standard normal variable falls with probability `p`, to about 1 part in 10^16.
 *
 * @param p a probability strictly between 0 and 1; 0 gives -Infinity, 1 Infinity, anything outside NaN
 *
 * @example
 * assert.equal(normalQuantile(0.5), 0)
 * assert.ok(Math.abs(normalQuantile(0.25) + 0.6744897501960817) < 1e-15)
 *
 * Wichura: Algorithm AS 241, the percentage points of the normal distribution (Applied Statistics 37, 1988), PPND16.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q
    // biome-ignore format: a polynomial reads best on few lines
    return (q * (((((((2509.0809287301227 * r + 33430.57558358813) * r + 67265.7709270087) * r
      + 45921.95393154987) * r + 13731.69376550946) * r + 1971.5909503065513) * r + 133.14166789178438) * r
      + 3.3871328727963665)) / (((((((5226.495278852546 * r + 28729.085735721943) * r + 39307.89580009271) * r
      + 21213.794301586597) * r + 5394.196021424751) * r + 687.1870074920579) * r + 42.31333070160091) * r + 1)
  }
  const tail = q < 0 ? p : 1 - p
  if (!(tail > 0)) return tail === 0 ? (q < 0 ? -Infinity : Infinity) : Number.NaN
  const distance = Math.sqrt(-logOfFraction(tail))
  const z = distance <= 5 ? nearTail(distance - 1.6) : farTail(distance - 5)
  return q < 0 ? -z : z
}

// biome-ignore format: a polynomial reads best on few lines
function nearTail(r: number): number {
  return (((((((0.0007745450142783414 * r + 0.022723844989269184) * r + 0.2417807251774506) * r
    + 1.2704582524523684) * r + 3.6478483247632045) * r + 5.769497221460691) * r + 4.630337846156546) * r
    + 1.4234371107496835) / (((((((1.0507500716444169e-09 * r + 0.0005475938084995345) * r
    + 0.015198666563616457) * r + 0.14810397642748008) * r + 0.6897673349851) * r + 1.6763848301838038) * r
    + 2.053191626637759) * r + 1)
}

// biome-ignore format: a polynomial reads best on few lines
function farTail(r: number): number {
  return (((((((2.0103343992922881e-07 * r + 2.7115555687434876e-05) * r + 0.0012426609473880784) * r
    + 0.026532189526576124) * r + 0.29656057182850487) * r + 1.7848265399172913) * r + 5.463784911164114) * r
    + 6.657904643501103) / (((((((2.0442631033899397e-15 * r + 1.421511758316446e-07) * r
    + 1.8463183175100548e-05) * r + 0.0007868691311456133) * r + 0.014875361290850615) * r
    + 0.1369298809227358) * r + 0.599832206555888) * r + 1)
}

/** ln(x) for 0 < x < 1 from basic arithmetic, because Math.log differs between engines: ln m + e ln 2, m near 1. */
function logOfFraction(x: number): number {
  let exponent = -32
  while (x < 2.3283064365386963e-10) {
    x *= 4294967296
    exponent -= 32
  }
  const scaled = x * 4294967296
  const bit = 31 - Math.clz32(scaled)
  let m = scaled / ((1 << bit) >>> 0)
  exponent += bit
  if (m > Math.SQRT2) {
    m /= 2
    exponent++
  }
  // ln m = 2 artanh s, |s| < 0.172: eleven terms of its series reach the last bit
  const s = (m - 1) / (m + 1)
  const t = s * s
  // biome-ignore format: a polynomial reads best on few lines
  const sum = ((((((((((t / 21 + 1 / 19) * t + 1 / 17) * t + 1 / 15) * t + 1 / 13) * t + 1 / 11) * t + 1 / 9) * t + 1 / 7) * t
    + 1 / 5) * t + 1 / 3) * t + 1)
  return exponent * Math.LN2 + 2 * s * sum
}

/** Writes `count` words of `key` from block `block` on: threefry2x32 unrolled, since a call a pair would double the time. */
function fillBits(
  key: Readonly<Words>,
  block: number,
  into: Uint32Array,
  count: number = into.length,
): Uint32Array {
  const a = key.high | 0
  const b = key.low | 0
  const c = a ^ b ^ 0x1bd11bda
  const start = (b + domain.bits) | 0
  for (let i = 0; i < count; i += 2, block++) {
    let x = (block + a) | 0
    let y = start
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    x = (x + b) | 0
    y = (y + c + 1) | 0
    x = (x + y) | 0
    y = ((y << 17) | (y >>> 15)) ^ x
    x = (x + y) | 0
    y = ((y << 29) | (y >>> 3)) ^ x
    x = (x + y) | 0
    y = ((y << 16) | (y >>> 16)) ^ x
    x = (x + y) | 0
    y = ((y << 24) | (y >>> 8)) ^ x
    x = (x + c) | 0
    y = (y + a + 2) | 0
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    x = (x + a) | 0
    y = (y + b + 3) | 0
    x = (x + y) | 0
    y = ((y << 17) | (y >>> 15)) ^ x
    x = (x + y) | 0
    y = ((y << 29) | (y >>> 3)) ^ x
    x = (x + y) | 0
    y = ((y << 16) | (y >>> 16)) ^ x
    x = (x + y) | 0
    y = ((y << 24) | (y >>> 8)) ^ x
    x = (x + b) | 0
    y = (y + c + 4) | 0
    x = (x + y) | 0
    y = ((y << 13) | (y >>> 19)) ^ x
    x = (x + y) | 0
    y = ((y << 15) | (y >>> 17)) ^ x
    x = (x + y) | 0
    y = ((y << 26) | (y >>> 6)) ^ x
    x = (x + y) | 0
    y = ((y << 6) | (y >>> 26)) ^ x
    x = (x + c) | 0
    y = (y + a + 5) | 0
    into[i] = x
    if (i + 1 < count) into[i + 1] = y
  }
  return into
}

/** The memory of floats as words. */
function wordsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
}

/** The largest float32 number below `x`, or `x` itself if `orEqual` and it is one. */
function float32Below(x: number, orEqual: boolean): number {
  const nearest = Math.fround(x)
  if (nearest < x || (orEqual && nearest === x)) return nearest
  if (nearest === 0) return -1.401298464324817e-45
  view.setFloat32(0, nearest)
  view.setInt32(0, view.getInt32(0) + (nearest > 0 ? -1 : 1))
  return view.getFloat32(0)
}

const view: DataView = /*@__PURE__*/ new DataView(/*@__PURE__*/ new ArrayBuffer(4))

function check(operation: string, key: Key, count: number): void {
  requireKey(operation, key)
  if (key instanceof TracedKey) key.refuse(operation)
  if (!Number.isInteger(count) || count < 0 || count > 4294967295) {
    failRange(operation, `the count must be an integer from 0 to 2^32 - 1, got ${count}`)
  }
}
