import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { requireCount } from './flow.ts'
import { done, item, type Pull, type Pulled, pass } from './pull.ts'
import { ring } from './ring.ts'

/** What can be subscribed to: an Observable of rxjs is one. */
export interface Subscribable<T> {
  subscribe(observer: { next(value: T): void; error(error: unknown): void; complete(): void }): {
    unsubscribe(): void
  }
  /** Only for the type checker, which learns from it what an Observable of rxjs emits. It is never called. */
  forEach?(next: (value: T) => void): unknown
}

/** What becomes of an element that finds the buffer full: the pass fails, or the oldest that waits or this one is left out. */
export type Overflow = 'error' | 'dropOldest' | 'dropNewest'

/** How the elements of a live source wait to be pulled. */
export interface LiveOptions {
  /** How many may wait, an integer of at least 1; 64 by default. */
  readonly buffer?: number
  /**
   * What becomes of an element that finds the buffer full. `'error'`, by default: the pass fails, after the elements that
   * waited. `'dropOldest'`: the one that waited longest is left out, so that what is pulled is recent. `'dropNewest'`: this one is.
   */
  readonly overflow?: Overflow
}

/**
 * One pass over what an Observable emits, from now on: what `fromObservable` opens each time it is read, without the stages of
 * a dataset.
 *
 * @param source anything with `subscribe({ next, error, complete })` that returns `{ unsubscribe() }`
 * @param options as for `fromObservable`
 * @param dropped called for each element that is left out
 * @throws as `fromObservable`
 *
 * @example
 * const source = {
 *   subscribe: (observer) => {
 *     for (const value of [1, 2, 3]) observer.next(value)
 *     return { unsubscribe: () => {} }
 *   },
 * }
 * const pull = livePull(source, { buffer: 2, overflow: 'dropNewest' })
 * assert.deepEqual([pull.next(), pull.next()], [{ done: false, value: 1 }, { done: false, value: 2 }])
 * const waiting = pull.next()
 * assert.ok(waiting instanceof Promise)
 * void pull.return()
 * assert.deepEqual(await waiting, { done: true, value: undefined })
 */
export function livePull<T>(
  source: Subscribable<T>,
  options: LiveOptions = {},
  dropped: () => void = () => {},
): Pull<T> {
  const open: { subscription?: { unsubscribe(): void } } = {}
  const box = mailbox<T>(checkLive(source, options, 'livePull'), dropped, () =>
    open.subscription?.unsubscribe(),
  )
  open.subscription = source.subscribe({
    next: box.put,
    error: (error) =>
      box.end(() => {
        throw error
      }),
    complete: () => box.end(() => done),
  })
  // It may have overflowed inside of `subscribe`, where there was nothing yet to unsubscribe from.
  if (box.isEnded()) open.subscription.unsubscribe()
  const inner: Pull<T> = {
    next: box.take,
    return: () => {
      box.end(() => done)
      open.subscription?.unsubscribe()
    },
  }
  return pass(inner, inner.next)
}

/** Checks the source, and gives the options that were left out. */
export function checkLive(
  source: unknown,
  { buffer = 64, overflow = 'error', ...others }: LiveOptions,
  operation = 'fromObservable',
): Required<LiveOptions> {
  if (
    typeof source !== 'object' ||
    source === null ||
    !('subscribe' in source) ||
    typeof source.subscribe !== 'function'
  ) {
    failType(operation, `the source must have subscribe, got ${kindOf(source)}`, 'pass an Observable')
  }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) failRange(operation, `unknown option '${unknown}'`, 'use buffer, overflow')
  requireCount(operation, 'the buffer', buffer, 1)
  if (!['error', 'dropOldest', 'dropNewest'].includes(overflow)) {
    const words = "'error', 'dropOldest' or 'dropNewest'"
    failType(operation, `overflow must be ${words}, got '${String(overflow)}'`)
  }
  return { buffer, overflow }
}

/** The end of a pass: gives it, or throws the error. */
type Ending = () => IteratorReturnResult<undefined>

interface Mailbox<T> {
  put(value: T): void
  /** Nothing is put any more. What waits is taken first. */
  end(how: Ending): void
  isEnded(): boolean
  take(): Pulled<T>
}

/** @param close called where it overflows and nothing more is wanted */
function mailbox<T>(
  { buffer, overflow }: Required<LiveOptions>,
  dropped: () => void,
  close: () => void,
): Mailbox<T> {
  const waiting = ring<T>(buffer)
  let asked: ((result: () => IteratorResult<T, undefined>) => void) | null = null
  let ending: Ending | null = null

  const answer = (result: () => IteratorResult<T, undefined>): void => {
    const settle = asked
    asked = null
    settle?.(result)
  }
  const end = (how: Ending): void => {
    ending ??= how
    answer(ending)
  }
  const overflown = (value: T): void => {
    if (overflow === 'error') {
      end(() => failOverflow(buffer))
      close()
      return
    }
    dropped()
    if (overflow === 'dropNewest') return
    waiting.shift()
    waiting.push(value)
  }
  return {
    put: (value) => {
      if (ending !== null) return
      if (asked !== null) answer(() => item(value))
      else if (waiting.isFull) overflown(value)
      else waiting.push(value)
    },
    end,
    isEnded: () => ending !== null,
    take: () => {
      if (waiting.size > 0) return item(waiting.shift())
      return ending === null
        ? new Promise((resolve, reject) => (asked = settling(resolve, reject)))
        : ending()
    },
  }
}

function settling<R>(
  resolve: (value: R) => void,
  reject: (error: unknown) => void,
): (result: () => R) => void {
  return (result) => {
    try {
      resolve(result())
    } catch (error) {
      reject(error)
    }
  }
}

function failOverflow(buffer: number): never {
  const elements = buffer === 1 ? '1 element' : `${buffer} elements`
  return failRange(
    'fromObservable',
    `the source gave an element while ${elements} waited to be pulled, which is all that the buffer holds`,
    "slow the source down, or pass a larger buffer, or overflow: 'dropOldest' or 'dropNewest'",
  )
}
