import type { Observable, Subscriber } from 'rxjs'
import { OwnedObservable } from './owned.ts'

/** A hot stream and the hand that feeds it. */
export interface Channel<T> {
  readonly values$: Observable<T>
  next(value: T): void
  complete(): void
}

/**
 * What a Subject of rxjs is, without its closures and iterators: a value that goes round is no garbage. Who comes while one goes round
 * hears the next; who comes after the end is told that it is over.
 *
 * @param threw hears of errors that are thrown by those who subscribe, where rxjs tells nobody: they hear nothing more
 */
export function channel<T>(threw: (error: unknown) => void): Channel<T> {
  // Replaced, never changed: what goes round goes to those who were there.
  let subscribers: readonly Subscriber<T>[] = []
  let completed = false
  const values$ = new OwnedObservable<T>((subscriber) => {
    if (completed) return subscriber.complete()
    subscribers = [...subscribers, subscriber]
    return () => {
      subscribers = subscribers.filter((other) => other !== subscriber)
    }
  }, threw)
  return {
    values$,
    next: (value) => {
      const present = subscribers
      for (let i = 0; i < present.length; i++) present[i]!.next(value)
    },
    complete: () => {
      completed = true
      for (const subscriber of subscribers) subscriber.complete()
    },
  }
}
