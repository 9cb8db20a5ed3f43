import {
  Observable,
  type Observer,
  type Operator,
  Subscriber,
  type Subscription,
  type TeardownLogic,
} from 'rxjs'

type Next<T> = (value: T) => void
type Failed = (error: unknown) => void

/**
 * An Observable whose subscriber owns what it runs: an error thrown by its `next` unsubscribes, and is then reported as
 * rxjs always does (asynchronously, to nobody's `catch`). With a plain Observable the source would go on. What is piped from
 * it is owned in the same way.
 */
export class OwnedObservable<T> extends Observable<T> {
  readonly #threw: Failed

  /** @param threw what becomes of such an error; it is thrown on by default */
  constructor(subscribe?: (subscriber: Subscriber<T>) => TeardownLogic, threw: Failed = throwOn) {
    super(subscribe)
    this.#threw = threw
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new OwnedObservable<R>(undefined, this.#threw)
    lifted.source = this
    lifted.operator = operator
    return lifted
  }

  override subscribe(observerOrNext?: Partial<Observer<T>> | Next<T>): Subscription
  override subscribe(
    next?: Next<T> | null,
    error?: Failed | null,
    complete?: (() => void) | null,
  ): Subscription
  override subscribe(
    observerOrNext?: Partial<Observer<T>> | Next<T> | null,
    error?: Failed | null,
    complete?: (() => void) | null,
  ): Subscription {
    // Operators subscribe with a Subscriber, which hands errors on by itself.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext)
    const observer = observerFrom(observerOrNext, error, complete)
    if (observer.next === undefined && observer.complete === undefined) return super.subscribe(observer)
    let subscription: Subscription | null = null
    let threw = false
    subscription = super.subscribe({
      ...(observer.error === undefined ? {} : { error: (cause: unknown) => observer.error?.(cause) }),
      complete: () => {
        try {
          observer.complete?.()
        } catch (cause) {
          this.#threw(cause)
        }
      },
      next: (value) => {
        if (threw) return
        try {
          observer.next?.(value)
        } catch (cause) {
          threw = true
          subscription?.unsubscribe()
          this.#threw(cause)
        }
      },
    })
    if (threw) subscription.unsubscribe()
    return subscription
  }
}

function throwOn(cause: unknown): never {
  throw cause
}

function observerFrom<T>(
  observerOrNext: Partial<Observer<T>> | Next<T> | null | undefined,
  error: Failed | null | undefined,
  complete: (() => void) | null | undefined,
): Partial<Observer<T>> {
  if (typeof observerOrNext !== 'function' && observerOrNext !== null && observerOrNext !== undefined)
    return observerOrNext
  return {
    ...(observerOrNext ? { next: observerOrNext } : {}),
    ...(error ? { error } : {}),
    ...(complete ? { complete } : {}),
  }
}
