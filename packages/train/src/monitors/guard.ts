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
  // An asynchronous monitor fails later; a rejection that nobody looks at would end the process.
  const look = (told: unknown): void => {
    if (told instanceof Promise) told.catch(detach)
  }
  // Three times the same: a function for what is called would be garbage at every step.
  return {
    next: (event) => {
      if (!listening) return
      try {
        look(observer.next?.(event))
      } catch (error) {
        detach(error)
      }
    },
    error: (error) => {
      if (!listening) return
      try {
        look(observer.error?.(error))
      } catch (failure) {
        detach(failure)
      }
    },
    complete: () => {
      if (!listening) return
      try {
        look(observer.complete?.())
      } catch (error) {
        detach(error)
      }
    },
  }
}
