import { failRange, failType, foldIn, Key, kindOf, knownOptions, randomBits } from '@tapeflow/autodiff'
import { type Flow, requireCount, viewFlow } from '../flow.ts'
import { done, item, pass, pullUntil } from '../pull.ts'

export interface ShuffleOptions {
  /** Where the order comes from: the same key and epoch give the same order. */
  readonly key: Key
  /** How many elements wait to be drawn; the whole dataset by default, which makes every order equally likely. */
  readonly buffer?: number
  /** Whether each epoch has an order of its own, from `foldIn(key, epoch)`; true by default. */
  readonly eachEpoch?: boolean
}

/**
 * Every element once, in random order. The first `buffer` elements are held; each pull gives one of those held, drawn
 * uniformly, and the next of the source takes its place. Where elements can be reached by position only their indices wait.
 *
 *     in   1 - 2 - 3 - 4 - 5 |
 *     out  ------- 2 - 4 - 1 - 5 - 3 |        buffer = 3
 *
 * @throws RangeError when the length is unknown and there is no `buffer`
 *
 * @example
 * const shuffled = dataset([1, 2, 3, 4]).shuffle({ key: key(7) })
 * assert.deepEqual([...shuffled].sort(), [1, 2, 3, 4])
 * assert.deepEqual(shuffled.toArray(), shuffled.toArray())
 */
export function shuffle<T>(flow: Flow<T>, options: ShuffleOptions): Flow<T> {
  const {
    key,
    buffer = flow.length,
    eachEpoch = true,
  } = knownOptions('shuffle', options ?? {}, 'key buffer eachEpoch')
  if (!(key instanceof Key))
    failType('shuffle', `expected a key, got ${kindOf(key)}`, 'pass { key: key(seed) }')
  if (buffer === undefined || buffer === Infinity) {
    failRange(
      'shuffle',
      'the number of elements is unknown',
      'pass { buffer }, how many may wait to be drawn',
    )
  }
  if (options.buffer !== undefined) requireCount('shuffle', 'the buffer', buffer, 1)
  const drawFor = (epoch: number): Draw => drawing(eachEpoch ? foldIn(key, epoch) : key)
  const reorders = flow.reorders || eachEpoch
  const { view, length } = flow
  if (view !== undefined && length !== undefined) {
    const order = (epoch: number) => {
      const from = view.order(epoch)
      const positions = shuffledPositions(length, buffer, drawFor(epoch))
      return (position: number) => from(positions[position]!)
    }
    return viewFlow({ source: view.source, order }, length, reorders)
  }
  return {
    length,
    reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      const draw = drawFor(epoch)
      const held: T[] = []
      let ended = false
      const give = (): IteratorResult<T, undefined> => {
        if (held.length === 0) return done
        const chosen = draw(held.length)
        const value = held[chosen]!
        held[chosen] = held[held.length - 1]!
        held.pop()
        return item(value)
      }
      return pass(inner, () => {
        if (ended) return give()
        return pullUntil(inner, (result) => {
          if (result.done) ended = true
          else held.push(result.value)
          return ended || held.length === buffer ? give() : undefined
        })
      })
    },
  }
}

/** The same dance with positions instead of elements. */
function shuffledPositions(length: number, buffer: number, draw: Draw): Uint32Array {
  const out = new Uint32Array(length)
  const held = new Uint32Array(Math.min(buffer, length))
  let size = 0
  let given = 0
  const give = (): void => {
    const chosen = draw(size)
    out[given++] = held[chosen]!
    held[chosen] = held[--size]!
  }
  for (let position = 0; position < length; position++) {
    held[size++] = position
    if (size === buffer) give()
  }
  while (size > 0) give()
  return out
}

/** A fair integer from 0 to `below - 1`. */
type Draw = (below: number) => number

function drawing(key: Key): Draw {
  let words: Uint32Array = new Uint32Array(0)
  let next = 0
  let refill = 0
  return (below) => {
    for (;;) {
      if (next === words.length) {
        words = randomBits(foldIn(key, refill++), 1024)
        next = 0
      }
      const word = words[next++]!
      const chosen = word % below
      // Words of the last, incomplete round would favour the small numbers.
      if (word - chosen <= 4294967296 - below) return chosen
    }
  }
}
