import { clock } from '../pace.ts'

/** What a generator returns; between its pieces the event loop has its turn. */
export async function inPieces<R>(work: Generator<undefined, R>): Promise<R> {
  const time = clock(0, undefined)
  try {
    for (;;) {
      await new Promise<void>((resolve) => {
        time.later(resolve)
      })
      const { done, value } = work.next()
      if (done === true) return value
    }
  } finally {
    time.close()
  }
}
