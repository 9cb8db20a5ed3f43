import { failRange, failType, kindOf } from './fail.ts'

/**
 * A place in the tree of random streams: two uint32 words, an immutable value. Make one with {@link key}, derive others with
 * {@link split} and {@link foldIn}, and use each of them once: equal keys give equal numbers, on every platform.
 */
export class Key {
  readonly high: number
  readonly low: number

  /** @throws RangeError unless both words are integers in [0, 2^32) */
  constructor(high: number, low: number) {
    if (!isWord(high) || !isWord(low)) {
      failRange('key', `both words must be integers from 0 to 4294967295, got [${high}, ${low}]`)
    }
    this.high = high
    this.low = low
  }

  toString(): string {
    return `Key(${this.high.toString(16).padStart(8, '0')}${this.low.toString(16).padStart(8, '0')})`
  }
}

/**
 * What a call of the generator is for, written in the high word of its counter (the low word counts). No two uses can
 * meet: the bits drawn from a key are never those that its children are made of.
 */
export const domain = { bits: 0, split: 1, index: 2, text: 3, textEnd: 4 } as const

/**
 * A key from a seed.
 *
 * @param seed an integer from 0 to 2^53 - 1, or the two words [high, low] of a key
 * @throws RangeError for any other number
 *
 * @example
 * assert.equal(String(key(7)), 'Key(0000000000000007)')
 * assert.deepEqual(key([0, 7]), key(7))
 */
export function key(seed: number | readonly [high: number, low: number]): Key {
  if (typeof seed === 'object' && seed !== null) return new Key(seed[0], seed[1])
  if (typeof seed !== 'number') {
    failType('key', `the seed must be a number, got ${kindOf(seed)}`, 'pass an integer such as 42')
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    failRange(
      'key',
      `the seed must be an integer from 0 to 2^53 - 1, got ${seed}`,
      'pass an integer such as 42',
    )
  }
  return new Key(Math.floor(seed / 4294967296), seed >>> 0)
}

/**
 * `n` keys that are independent of each other and of the numbers drawn from `parent`: child i is
 * `threefry2x32(parent, counter = [i, domain.split])`, so the first children do not depend on `n`.
 *
 * @param n how many, an integer of at least 0; 2 by default
 * @throws RangeError when `n` is no such integer
 *
 * @example
 * const [weights, noise] = split(key(42))
 * assert.notDeepEqual(weights, noise)
 * assert.deepEqual(split(key(42), 5)[1], noise)
 */
export function split(parent: Key, n = 2): Key[] {
  requireKey('split', parent)
  if (!isWord(n)) failRange('split', `the number of keys must be an integer of at least 0, got ${n}`)
  return Array.from({ length: n }, (_, i) => child(parent, i, domain.split))
}

/**
 * The child of `parent` named by a number or by a text, such as a step or the path of a layer. Numbers, texts and
 * {@link split} never give the same child: they count in separate domains. A text is absorbed two UTF-16 units at a time,
 * each block encrypted under the key so far, then its length (64 bits of state: names do not collide in practice).
 *
 * @param index an integer from 0 to 2^32 - 1, or any text
 * @throws RangeError for another number
 *
 * @example
 * const step = foldIn(key(42), 1000)
 * assert.notDeepEqual(foldIn(step, 'layers.0'), foldIn(step, 'layers.1'))
 * assert.deepEqual(foldIn(step, 'layers.0'), foldIn(step, 'layers.0'))
 */
export function foldIn(parent: Key, index: number | string): Key {
  requireKey('foldIn', parent)
  if (typeof index === 'number') {
    if (!isWord(index)) failRange('foldIn', `the index must be an integer from 0 to 4294967295, got ${index}`)
    return child(parent, index, domain.index)
  }
  if (typeof index !== 'string') {
    failType('foldIn', `the index must be a number or a string, got ${kindOf(index)}`)
  }
  let state = parent
  for (let i = 0; i < index.length; i += 2) {
    const second = i + 1 < index.length ? index.charCodeAt(i + 1) : 0
    state = child(state, (index.charCodeAt(i) | (second << 16)) >>> 0, domain.text)
  }
  return child(state, index.length, domain.textEnd)
}

/**
 * Two random words: the counter encrypted under the key by Threefry-2x32 with 20 rounds.
 *
 * @param into where to write, at least 2 long; a new array by default
 * @returns `into`
 *
 * @example
 * assert.deepEqual([...threefry2x32(0, 0, 0, 0)], [0x6b200159, 0x99ba4efe])
 *
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011); rotations and vectors of Random123.
 */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  into: Uint32Array = new Uint32Array(2),
): Uint32Array {
  const keys = [key0 | 0, key1 | 0, key0 ^ key1 ^ 0x1bd11bda] as const
  let x = (counter0 + key0) | 0
  let y = (counter1 + key1) | 0
  for (let group = 0; group < 5; group++) {
    for (const r of rotations[group & 1]!) {
      x = (x + y) | 0
      y = ((y << r) | (y >>> (32 - r))) ^ x
    }
    x = (x + keys[(group + 1) % 3]!) | 0
    y = (y + keys[(group + 2) % 3]! + group + 1) | 0
  }
  into[0] = x
  into[1] = y
  return into
}

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** Throws a TypeError unless `value` is a key: a seed in its place is the usual mistake. */
export function requireKey(operation: string, value: unknown): asserts value is Key {
  if (!(value instanceof Key))
    failType(operation, `expected a key, got ${kindOf(value)}`, 'make one with key(seed)')
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}

function child(parent: Key, count: number, use: number): Key {
  const words = threefry2x32(parent.high, parent.low, count, use)
  return new Key(words[0]!, words[1]!)
}
