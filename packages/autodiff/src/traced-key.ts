import { failRange, RecordingError } from './fail.ts'
import { showShape } from './shape.ts'
import type { Tape } from './tape.ts'
import { failDisposed, Tensor, TracedNumber } from './tensor.ts'
import { isWord, Key, threefry2x32, type Words } from './threefry.ts'

/** Where a traced key comes from: an input of the recorded function, or what `deriveInto` makes of another key. */
export type KeySource =
  | { readonly kind: 'input'; readonly index: number }
  | {
      readonly kind: 'child'
      readonly parent: Key
      readonly count: number | TracedNumber
      readonly use: number
    }

/**
 * A key of a function that is being recorded: its words are known when the function runs. Until then there is only where
 * they come from. It lasts as long as its tape is open.
 */
export class TracedKey extends Key {
  readonly tape: Tape
  readonly source: KeySource

  constructor(tape: Tape, source: KeySource) {
    super(0, 0)
    this.tape = tape
    this.source = source
    // In the place of the words: whoever reads, copies or compares them must hear of it.
    Object.defineProperties(this, unreadable)
  }

  /** A key that is input number `index` of the function recorded on `tape`. */
  static input(tape: Tape, index: number): TracedKey {
    return new TracedKey(tape, { kind: 'input', index })
  }

  override toString(): never {
    return this.refuse('toString')
  }

  /** The tape, where it is still open; else `operation` is refused. */
  openTape(operation: string): Tape {
    return this.tape.open ? this.tape : this.refuse(operation)
  }

  /** Throws the error of an operation that needs the words. */
  refuse(operation: string): never {
    if (!this.tape.open) {
      throw new RecordingError(
        operation,
        'the key belongs to a recording that has ended: it has no words',
        'return it from the function, and use what comes out',
      )
    }
    throw new RecordingError(
      operation,
      'the words of a key cannot be read while its function is recorded: they are known when it runs',
      'derive keys with split and foldIn, and draw with uniform, normal, truncatedNormal, bernoulli or permutation',
    )
  }
}

const unreadable: PropertyDescriptorMap & ThisType<TracedKey> = {
  high: {
    enumerable: true,
    get() {
      return this.refuse('high')
    },
  },
  low: {
    enumerable: true,
    get() {
      return this.refuse('low')
    },
  },
}

/** A number of a function that is being recorded, and the tape that it is an input of. */
export interface RecordedNumber {
  readonly tape: Tape
  readonly input: TracedNumber
}

/**
 * The number of an open recording that `value` is, where it is one; null where it is not recorded.
 *
 * @param name what it is to the operation: `the index`
 * @throws RecordingError where it is another value of the recording (keys and numbers are resolved before a run computes),
 * or the recording has ended
 */
export function recordedNumber(operation: string, name: string, value: unknown): RecordedNumber | null {
  if (!(value instanceof Tensor)) return null
  for (let known: Tensor | null = value; known !== null && known.tape !== null; known = known.below) {
    const { tape, slot, shape } = known
    if (!tape.abstract || !tape.open) continue
    if (known instanceof TracedNumber) return { tape, input: known }
    const kind = tape.entries[slot] === null ? 'tensor' : 'computed value'
    throw new RecordingError(
      operation,
      `${name} must be a number passed as an argument, got a ${kind} of shape ${showShape(shape)} while its function is recorded`,
      'compute it outside, and pass it as a number',
    )
  }
  if (value.offset < 0) failDisposed(operation, value)
  return null
}

/**
 * The one tape that an operation's traced arguments are recorded on.
 *
 * @param tape that of the arguments so far, null where none is traced
 * @param other that of the next one
 * @throws RecordingError where they are two: neither is run with what the other knows
 */
export function joinTapes(operation: string, tape: Tape | null, other: Tape): Tape {
  if (tape === null || tape === other) return other
  throw new RecordingError(
    operation,
    'its arguments belong to two recordings, one inside the other',
    'pass all of them to the inner function',
  )
}

/**
 * Writes the words of a child into `cell`: the bits that `foldIn` and `split` give. Allocates nothing.
 *
 * @param cell where to write; may be `parent`
 * @param count an index that is known only now may be none
 * @param use one of `domain`
 * @throws RangeError when `count` is not an integer from 0 to 2^32 - 1: in the words of foldIn
 * @example
 * const cell = { high: 0, low: 0 }
 * deriveInto(cell, t.key(42), 7, 2)
 * cell // => { ...t.foldIn(t.key(42), 7) }
 */
export function deriveInto(cell: Words, parent: Readonly<Words>, count: number, use: number): void {
  if (!isWord(count)) failIndex(count)
  threefry2x32(parent.high, parent.low, count, use, drawn)
  cell.high = drawn[0]!
  cell.low = drawn[1]!
}

const drawn: Uint32Array = /*@__PURE__*/ new Uint32Array(2)

/** Throws the error of an index that is out of range. */
export function failIndex(index: number): never {
  failRange('foldIn', `the index must be an integer from 0 to 4294967295, got ${index}`)
}
