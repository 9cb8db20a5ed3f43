import type { Observer } from 'rxjs'
import type { TrainEvent } from '../events.ts'

/** Someone who watches a run: a function of its events, or an observer of which any part may be missing. */
export type Monitor = ((event: TrainEvent) => void) | Partial<Observer<TrainEvent>>

/** Where errors go that must not end a run. */
export type Log = (message: string, error: unknown) => void

/**
 * An observer that never throws: the first error of the monitor, or the first rejection of a promise it returns, is logged,
 * and the monitor hears nothing more.
 *
 * @param name for the log: `monitor 0`
 */
export function guarded(monitor: Monitor, name: string, log: Log): Observer<TrainEvent> {
  const observer: Partial<Observer<TrainEvent>> = typeof monitor === 'function' ? { next: monitor } : monitor
  let listening = true
  const detach = (error: unknown): void => {
    if (!listening) return
    listening = false
    log(`fit: ${name} failed and was detached; the run goes on`, error)
  }
  const tell = (call: () => unknown): void => {
    if (!listening) return
    try {
      const told = call()
      // An asynchronous monitor fails later; a rejection that nobody looks at would end the process.
      if (told instanceof Promise) told.catch(detach)
    } catch (error) {
      detach(error)
    }
  }
  return {
    next: (event) => tell(() => observer.next?.(event)),
    error: (error) => tell(() => observer.error?.(error)),
    complete: () => tell(() => observer.complete?.()),
  }
}
