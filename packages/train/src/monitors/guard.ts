import type { Observer } from 'rxjs'
import type { TrainEvent } from '../events.ts'

/** Someone who watches a run: a function of its events, or an observer of which any part may be missing. */
export type Monitor = ((event: TrainEvent) => void) | Partial<Observer<TrainEvent>>

/** Where errors go that must not end a run. */
export type Log = (message: string, error: unknown) => void

/**
 * An observer that never throws: the first error of the monitor is logged, and the monitor hears nothing more.
 *
 * @param name for the log: `monitor 0`
 */
export function guarded(monitor: Monitor, name: string, log: Log): Observer<TrainEvent> {
  const observer: Partial<Observer<TrainEvent>> = typeof monitor === 'function' ? { next: monitor } : monitor
  let listening = true
  const tell = (call: () => void): void => {
    if (!listening) return
    try {
      call()
    } catch (error) {
      listening = false
      log(`fit: ${name} failed and was detached; the run goes on`, error)
    }
  }
  return {
    next: (event) => tell(() => observer.next?.(event)),
    error: (error) => tell(() => observer.error?.(error)),
    complete: () => tell(() => observer.complete?.()),
  }
}
