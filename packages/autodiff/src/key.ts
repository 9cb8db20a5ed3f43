import { failRange, failType, kindOf, RecordingError, shown } from './fail.ts'
import { domain, isWord, Key, requireKey, threefry2x32 } from './threefry.ts'
import { failIndex, joinTapes, recordedNumber, TracedKey } from './traced-key.ts'

export { Key, type Words } from './threefry.ts'

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
  if (isPair(seed)) return new Key(seed[0], seed[1])
  if (typeof seed !== 'number') {
    if (recordedNumber('key', 'the seed', seed) !== null) {
      throw new RecordingError(
        'key',
        'a seed that is passed as an argument is not known while its function is recorded',
        'pass key(seed) as the argument',
      )
    }
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
  if (!isWord(n)) failRange('split', `the number of keys must be an integer of at least 0, got ${shown(n)}`)
  return Array.from({ length: n }, (_, i) => child('split', parent, i, domain.split))
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
    if (!isWord(index)) failIndex(index)
    return child('foldIn', parent, index, domain.index)
  }
  if (typeof index !== 'string') {
    const recorded = recordedNumber('foldIn', 'the index', index)
    if (recorded !== null) {
      const known = parent instanceof TracedKey ? parent.openTape('foldIn') : null
      const tape = joinTapes('foldIn', known, recorded.tape)
      return new TracedKey(tape, { kind: 'child', parent, count: recorded.input, use: domain.index })
    }
    failType('foldIn', `the index must be a number or a string, got ${kindOf(index)}`)
  }
  let state = parent
  for (let i = 0; i < index.length; i += 2) {
    const second = i + 1 < index.length ? index.charCodeAt(i + 1) : 0
    state = child('foldIn', state, (index.charCodeAt(i) | (second << 16)) >>> 0, domain.text)
  }
  return child('foldIn', state, index.length, domain.textEnd)
}

// A predicate of its own: Array.isArray does not know arrays that are only read.
function isPair(seed: unknown): seed is readonly [high: number, low: number] {
  return Array.isArray(seed)
}

/** The key that `deriveInto` derives: now, or, from a traced one, when it is run. */
export function child(operation: string, parent: Key, count: number, use: number): Key {
  if (parent instanceof TracedKey) {
    return new TracedKey(parent.openTape(operation), { kind: 'child', parent, count, use })
  }
  const words = threefry2x32(parent.high, parent.low, count, use)
  return new Key(words[0]!, words[1]!)
}
