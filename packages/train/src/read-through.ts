import type { BatchSource } from './batch.ts'
import type { Log } from './monitors/guard.ts'
import { awaited, close } from './reading.ts'

/** Whose data is read: for its errors. */
export interface Reader {
  /** The public function that was called. */
  readonly operation: string
  readonly log: Log
}

/** A program that reads: it yields a promise where it waits for data, and nothing after each batch. */
export type Reading<R> = Generator<Promise<unknown> | undefined, R, undefined>

/**
 * Reads data once, from its start to its end, one batch at a time. Wherever it is left, the data is closed.
 *
 * @param take what is done with each batch, and its number
 * @returns how many there were
 */
export function* readThrough<B>(
  data: BatchSource<B>,
  take: (batch: B, number: number) => void,
  { operation, log }: Reader,
): Reading<number> {
  const pull = data.iterate(0)
  let ended = false
  try {
    for (let count = 0; ; count++) {
      const pulled = pull.next()
      const arrived = pulled instanceof Promise ? yield* awaited(pulled, () => false) : pulled
      if (arrived === undefined || arrived.done) {
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
