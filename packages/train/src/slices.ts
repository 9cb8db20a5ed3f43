import { failRange } from '@tapeflow/autodiff'
import type { Clock } from './pace.ts'

/**
 * A run as a program that can be put down between any two of its steps: it yields nothing where it may be interrupted, a
 * promise where it waits for one, and `hold` where it does not go on before it is woken. Yields are garbage: what is done at
 * every step asks `isDue` first.
 */
export type Program = Generator<Promise<unknown> | 'hold' | undefined, void, undefined>

/** The program's engine, in the hands of the run. */
export interface Slices {
  /** Goes on with a program that waits or holds: something has happened. Does nothing to one that runs. */
  wake(): void
  /** Whether a program that runs has to yield: others have waited long enough, or it was closed. */
  isDue(): boolean
  /** Ends the program where it stands (its `finally` blocks run), at once or, if called from inside it, at its next yield. */
  close(): void
}

/**
 * Runs a program in slices: for `budget` milliseconds, then the event loop has its turn. The first slice is scheduled.
 *
 * @param settle called once at its end, with the error if there was one; not after `close`
 */
export function runInSlices(
  program: Program,
  time: Clock,
  budget: number,
  settle: (failure: { readonly error: unknown } | null) => void,
): Slices {
  let at: 'scheduled' | 'running' | 'waiting' | 'closed' = 'scheduled'
  let running = false
  let scheduling = false
  let until = 0

  // A scheduler is somebody else's: it may throw, or run at once what was to be run later.
  const schedule = (): void => {
    at = 'scheduled'
    scheduling = true
    try {
      time.later(slice)
    } catch (error) {
      stop({ error })
    }
    scheduling = false
  }
  const wake = (): void => {
    if (at === 'waiting') schedule()
  }
  // What it waits for may fail: the program looks at the promise itself, and throws.
  const wakeAfter = (promise: Promise<unknown>): void => {
    promise.then(wake, wake)
  }
  const end = (failure: { readonly error: unknown } | null): void => {
    at = 'closed'
    time.close()
    settle(failure)
  }
  // The program is where it was put down, has not begun, or has failed itself.
  const stop = (failure: { readonly error: unknown }): void => {
    program.return()
    end(failure)
  }

  // One slice: true where the program has ended.
  const advance = (): boolean => {
    until = time.now() + budget
    for (;;) {
      const { done, value } = program.next()
      if (done) return true
      if (isClosed()) return false
      if (value !== undefined) {
        at = 'waiting'
        if (value !== 'hold') wakeAfter(value)
        return false
      }
      if (isDue()) {
        schedule()
        return false
      }
    }
  }
  const isClosed = (): boolean => at === 'closed'
  const isDue = (): boolean => isClosed() || time.now() >= until

  function slice(): void {
    if (isClosed()) return
    if (scheduling) {
      failRange(
        'fit',
        'the scheduler ran at once what it was to run later',
        'leave it out, or pass asyncScheduler',
      )
    }
    at = 'running'
    running = true
    try {
      const ended = advance()
      running = false
      if (isClosed()) program.return()
      else if (ended) end(null)
    } catch (error) {
      running = false
      if (!isClosed()) stop({ error })
    }
  }

  schedule()
  return {
    wake,
    isDue,
    close: () => {
      if (isClosed()) return
      at = 'closed'
      time.close()
      if (!running) program.return()
    },
  }
}
