/** What one pull gives: an element or the end, at once or as a promise if the source is asynchronous. */
export type Pulled<T> = IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>>

/**
 * One pass over a dataset. The consumer asks, one element at a time; nothing is computed ahead. `next` must not be called
 * while a promise it gave is open. `return` ends the pass early and lets the source give back what it holds.
 */
export interface Pull<T> {
  next(): Pulled<T>
  return?(): void | Promise<void>
}

/** The end of a pass. */
export const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** An element of a pass. */
export const item = <T>(value: T): IteratorYieldResult<T> => ({ done: false, value })

/** `f(value)`, now if the value is there, else when it is: a synchronous source never makes a promise. */
export function after<A, B>(value: A | Promise<A>, f: (value: A) => B | Promise<B>): B | Promise<B> {
  return value instanceof Promise ? value.then(f) : f(value)
}

/**
 * Pulls from `inner` until `step` answers with a result: for the stages that take several elements to give one.
 *
 * @param step gets each result, the end too; `undefined` asks for the next
 */
export function pullUntil<T, U>(
  inner: Pull<T>,
  step: (result: IteratorResult<T, undefined>) => IteratorResult<U, undefined> | undefined,
): Pulled<U> {
  for (;;) {
    const pulled = inner.next()
    if (pulled instanceof Promise) return pullRest(inner, step, pulled)
    const answer = step(pulled)
    if (answer !== undefined) return answer
  }
}

async function pullRest<T, U>(
  inner: Pull<T>,
  step: (result: IteratorResult<T, undefined>) => IteratorResult<U, undefined> | undefined,
  first: Promise<IteratorResult<T, undefined>>,
): Promise<IteratorResult<U, undefined>> {
  for (let result = await first; ; result = await inner.next()) {
    const answer = step(result)
    if (answer !== undefined) return answer
  }
}

/**
 * A pull that keeps the manners of an iterator around `next`: after the end, an error or an early `return` it stays at its
 * end, and what it reads from is closed once, unless it ended by itself.
 *
 * @param inner what `next` reads from, if anything
 */
export function pass<T>(inner: Pull<unknown> | undefined, next: () => Pulled<T>): Pull<T> {
  let open = true
  const close = (): void | Promise<void> => {
    if (!open) return
    open = false
    return inner?.return?.()
  }
  const note = (result: IteratorResult<T, undefined>): IteratorResult<T, undefined> => {
    if (result.done) open = false
    return result
  }
  // As for…of does it: what went wrong is told, and not what closing says to that.
  const closeAfterError = (): void | Promise<void> => {
    try {
      const closing = close()
      return closing instanceof Promise ? closing.catch(() => {}) : closing
    } catch {
      return undefined
    }
  }
  const fail = async (error: unknown): Promise<never> => {
    await closeAfterError()
    throw error
  }
  return {
    next() {
      if (!open) return done
      try {
        const pulled = next()
        return pulled instanceof Promise ? pulled.then(note, fail) : note(pulled)
      } catch (error) {
        // Not awaited: an error met at once is thrown at once.
        void closeAfterError()
        throw error
      }
    },
    return: close,
  }
}
