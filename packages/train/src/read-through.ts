import type { Pull } from '@tapeflow/data'
import type { Log } from './monitors/guard.ts'
import { nextAsked, type Pacing } from './pacing.ts'
import { awaited, close, given } from './reading.ts'

/** Whose data is read: for its errors. */
export interface Reader {
  /** The public function that was called. */
  readonly operation: string
  readonly log: Log
  /** Asked while a batch is awaited: whether nobody wants it any more. Never, where it is left out. */
  giveUp?(): boolean
  /** Who asks for batches; null, or left out, where they are read by themselves. */
  readonly pacing?: Pacing | null
}

/** A program that reads: it yields a promise where it waits for data, `hold` where nobody asks, and nothing after each batch. */
export type Reading<R> = Generator<Promise<unknown> | 'hold' | undefined, R, undefined>

/**
 * Reads a pass over data to its end, one batch at a time. Wherever it is left, the data is closed.
 *
 * @param take what is done with each batch, and its number
 * @returns how many there were; null where that was given up
 */
export function* readThrough<B>(
  pull: Pull<B>,
  take: (batch: B, number: number) => void,
  { operation, log, giveUp = () => false, pacing = null }: Reader,
): Reading<number | null> {
  let ended = false
  try {
    for (let count = 0; ; count++) {
      if (pacing !== null && !(yield* nextAsked(pacing))) return count
      const pulled = pull.next()
      const arrived = pulled instanceof Promise ? yield* awaited(pulled.then(given), giveUp) : given(pulled)
      if (arrived === undefined) return null
      if (arrived.done) {
        ended = true
        return count
      }
      take(arrived.value, count)
      yield
    }
  } finally {
    if (!ended) close(pull, log, operation)
  }
}
