import { failRange, failType, kindOf, shown } from './fail.ts'
import { failForeign } from './foreign.ts'

/** The two uint32 words of a key, in a place that can be written. */
export interface Words {
  high: number
  low: number
}

/**
 * A place in the tree of random streams: two uint32 words, an immutable value. Make one with `key`, derive others with
 * `split` and `foldIn`, and use each of them once: equal keys give equal numbers, on every platform.
 */
export class Key {
  readonly high: number
  readonly low: number

  /** @throws RangeError unless both words are integers in [0, 2^32) */
  constructor(high: number, low: number) {
    if (!isWord(high) || !isWord(low)) {
      failRange(
        'key',
        `both words must be integers from 0 to 4294967295, got [${shown(high)}, ${shown(low)}]`,
      )
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
  let a = key0 | 0
  let b = key1 | 0
  let c = a ^ b ^ 0x1bd11bda
  let x = (counter0 + key0) | 0
  let y = (counter1 + key1) | 0
  for (let group = 0; group < 5; group++) {
    const turns = rotations[group & 1]!
    for (let i = 0; i < 4; i++) {
      const r = turns[i]!
      x = (x + y) | 0
      y = ((y << r) | (y >>> (32 - r))) ^ x
    }
    x = (x + b) | 0
    y = (y + c + group + 1) | 0
    // The three words of the key take turns.
    const first = a
    a = b
    b = c
    c = first
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
  if (value instanceof Key) return
  failForeign(operation, value)
  failType(operation, `expected a key, got ${kindOf(value)}`, 'make one with key(seed)')
}

/** Whether a number is an integer from 0 to 2^32 - 1. */
export function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}
