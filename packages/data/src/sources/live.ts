import { failRange } from '@tapeflow/autodiff'
import type { Flow } from '../flow.ts'
import { done, item, type Pull, type Pulled, pass } from '../pull.ts'
import { ring } from './ring.ts'

/** What can be subscribed to: an Observable of rxjs is one. */
export interface Subscribable<T> {
  subscribe(observer: { next(value: T): void; error(error: unknown): void; complete(): void }): {
    unsubscribe(): void
  }
}

/** What becomes of an element that finds the buffer full: the pass fails, or the oldest that waits or this one is left out. */
export type Overflow = 'error' | 'dropOldest' | 'dropNewest'

/** How elements wait to be pulled. */
export interface Buffering {
  readonly buffer: number
  readonly overflow: Overflow
  /** Called for each element that is left out. */
  readonly dropped: () => void
}

/** The elements of a live source: a pass subscribes when it starts, and unsubscribes when it is closed. */
export function liveSource<T>(source: Subscribable<T>, buffering: Buffering): Flow<T> {
  return {
    length: undefined,
    reorders: false,
    live: true,
    iterate: () => {
      const inner = subscribed(source, buffering)
      return pass(inner, inner.next)
    },
  }
}

function subscribed<T>(source: Subscribable<T>, buffering: Buffering): Pull<T> {
  const open: { subscription?: { unsubscribe(): void } } = {}
  const box = mailbox<T>(buffering, () => open.subscription?.unsubscribe())
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
  return {
    next: box.take,
    return: () => {
      box.clear()
      open.subscription?.unsubscribe()
    },
  }
}

/** The end of a pass: gives it, or throws the error. */
type Ending = () => IteratorReturnResult<undefined>

interface Mailbox<T> {
  put(value: T): void
  /** Nothing is put any more. What waits is taken first. */
  end(how: Ending): void
  isEnded(): boolean
  take(): Pulled<T>
  /** Forgets what waits, and ends. */
  clear(): void
}

/** @param close called where it overflows and nothing more is wanted */
function mailbox<T>({ buffer, overflow, dropped }: Buffering, close: () => void): Mailbox<T> {
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
    clear: () => {
      waiting.clear()
      end(() => done)
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
