import { failRange, type Numerics } from '@tapeflow/autodiff'
import type { Observable, SchedulerLike } from 'rxjs'
import { type Check, optional } from './check.ts'
import type { Log } from './monitors/guard.ts'
import { checks, problemOfPace } from './options.ts'
import { OwnedObservable } from './owned.ts'
import { budgetByDefault, clock, type Pace } from './pace.ts'
import { type Program, runInSlices } from './slices.ts'

/** How data is passed through a model forward, as in `fit`. */
export interface PassOptions {
  /**
   * Whether batches run through a program, recorded once for each shape; true by default. With false the model is called for every
   * batch, and may read values. Both give the same bits.
   */
  readonly compile?: boolean
  /** The numeric mode of the program: `relaxed()` of `@tapeflow/autodiff/relaxed`; left out it is strict. */
  readonly numerics?: Numerics
  readonly pace?: Pace
  /** Runs the slices and tells the time, in place of the platform. */
  readonly scheduler?: SchedulerLike
  /** Where warnings go; `console.error` by default. */
  readonly log?: Log
}

const { data, compile, numerics, scheduler, log } = checks

/** What may be wrong with the options of a pass. */
export const passChecks: Readonly<Record<'data' | keyof PassOptions, Check>> = {
  data,
  compile,
  numerics,
  pace: optional(problemOfPace),
  scheduler,
  log,
}

/** What may be wrong with a signal. */
export const checkSignal: Check = optional((value) =>
  value instanceof AbortSignal ? undefined : 'must be an AbortSignal',
)

/** Throws a RangeError for a numeric mode without a program. */
export function checkPassMode(operation: string, options: Pick<PassOptions, 'compile' | 'numerics'>): void {
  if (options.compile !== false || options.numerics === undefined) return
  const problem = 'eager passes are always strict, got numerics and compile: false'
  failRange(operation, problem, 'leave one of them out')
}

/** Where warnings go. */
export function logOf({
  log = (message, error) => console.error(message, error),
}: Pick<PassOptions, 'log'>): Log {
  return log
}

/**
 * What a program emits, run in slices for each subscriber. Cold; nothing is emitted inside `subscribe`; unsubscribing ends the
 * program before it goes on.
 *
 * @param program is given what emits, what tells the milliseconds, and what puts it back to work where it holds
 */
export function inSlices<T>(
  { pace: { budget = budgetByDefault, rest = 0 } = {}, scheduler }: PassOptions,
  program: (emit: (value: T) => void, now: () => number, wake: () => void) => Program,
): Observable<T> {
  return new OwnedObservable<T>((owner) => {
    const time = clock(rest, scheduler)
    const wake = (): void => slices.wake()
    const emitting = program((value) => owner.next(value), time.now, wake)
    const slices = runInSlices(emitting, time, budget, (failure) => {
      if (failure === null) owner.complete()
      else owner.error(failure.error)
    })
    return () => slices.close()
  })
}

/**
 * The last value of a stream, once it is complete.
 *
 * @param signal rejects with its reason when it aborts, and unsubscribes
 */
export function promised<T>(values$: Observable<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const last: { value?: T } = {}
    const settled = (): void => signal?.removeEventListener('abort', abort)
    const subscription = values$.subscribe({
      next: (value) => {
        last.value = value
      },
      error: (error: unknown) => {
        settled()
        reject(error)
      },
      complete: () => {
        settled()
        // Who asks for the last value knows that there is one.
        resolve(last.value as T)
      },
    })
    function abort(): void {
      subscription.unsubscribe()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}
