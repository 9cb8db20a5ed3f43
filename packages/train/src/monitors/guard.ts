import { isObservable, type Observer } from 'rxjs'
import type { TrainEvent } from '../events.ts'

/**
 * Someone who watches a run: a function of its events, or an observer of which any part may be missing. A Subject is told of the end, too,
 * and hears no second run; a function, `(event) => subject$.next(event)`, passes on events alone. What a Subject's subscribers throw, and
 * errors that they do not handle, RxJS reports as uncaught: neither the run nor its log hears of them.
 */
export type Monitor = ((event: TrainEvent) => void) | Partial<Observer<TrainEvent>>

/** Where errors go that must not end a run. */
export type Log = (message: string, error: unknown) => void

/** A log that never throws or rejects: what it was to tell goes to the console then, and its own error with it. */
export function unfailing(log: Log): Log {
  return (message, error) => {
    const instead = (failure: unknown): void => {
      console.error(message, error)
      console.error('fit: the log failed', failure)
    }
    try {
      whenRejected(log(message, error), instead)
    } catch (failure) {
      instead(failure)
    }
  }
}

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
  // Three times the same: a function for what is called would be garbage at every step.
  return {
    next: (event) => {
      if (!listening) return
      try {
        whenRejected(observer.next?.(event), detach)
      } catch (error) {
        detach(error)
      }
    },
    error: (error) => {
      if (!listening) return
      try {
        whenRejected(observer.error?.(error), detach)
      } catch (failure) {
        detach(failure)
      }
    },
    complete: () => {
      if (!listening) return
      try {
        whenRejected(observer.complete?.(), detach)
      } catch (error) {
        detach(error)
      }
    },
  }
}

// What is asynchronous fails later; a rejection that nobody looks at would end the process. An operator only seems to listen.
function whenRejected(returned: unknown, failed: (error: unknown) => void): void {
  if (typeof returned !== 'object' || returned === null) return
  if (isObservable(returned)) {
    const problem = 'it returned an Observable, which nobody hears; pipe the run through it'
    failed(new TypeError(problem))
  }
  if (!('then' in returned)) return
  Promise.resolve(returned).catch(failed)
}
