import { isObservable, type Observable, type Subscription } from 'rxjs'
import { failureOf } from './failure.ts'
import type { Session } from './session.ts'
import type { Program } from './slices.ts'

/** Something whose steps or batches are asked for, one by one. */
export interface Pacing {
  /** How many were asked for and have not been made; throws where asking failed. */
  readonly asked: number
  /** Whether none will be asked for any more. */
  readonly isOver: boolean
  /** One of them is made now. */
  take(): void
  close(): void
}

/**
 * Listens to who asks; null where nobody does, and it goes on by itself.
 *
 * @param wake called when something has come
 */
export function pacing(
  pace: Observable<unknown> | object | undefined,
  wake: () => void,
  operation = 'fit',
): Pacing | null {
  if (!isObservable(pace)) return null
  let asked = 0
  let isOver = false
  let failure: { readonly error: unknown } | null = null
  const listening: Subscription = pace.subscribe({
    next: () => {
      asked++
      wake()
    },
    error: (error: unknown) => {
      failure = { error: failureOf('pace', error, operation) }
      wake()
    },
    complete: () => {
      isOver = true
      wake()
    },
  })
  return {
    get asked() {
      if (failure !== null) throw failure.error
      return asked
    },
    get isOver() {
      return isOver
    },
    take: () => {
      asked--
    },
    close: () => listening.unsubscribe(),
  }
}

/** Waits until the next batch is asked for, and takes it; false where none will be any more. */
export function* nextAsked(pacing: Pacing): Generator<'hold', boolean, undefined> {
  while (pacing.asked === 0) {
    if (pacing.isOver) return false
    yield 'hold'
  }
  pacing.take()
  return true
}

/** Waits until the next step is asked for, or the run is to do something else. The time does not count. */
export function* granted<P, S>({ pacing, flow, boundary, time }: Session<P, S>): Program {
  if (pacing === null) return
  time.hold()
  while ((pacing.asked === 0 || flow.paused) && flow.stop === null && !flow.rewound) {
    if (pacing.isOver && pacing.asked === 0) flow.stop = 'pace has completed'
    else {
      yield 'hold'
      boundary.settle()
    }
  }
  time.go()
  if (flow.stop === null && !flow.rewound) pacing.take()
}
