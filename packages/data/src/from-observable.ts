import { type Dataset, withStages } from './dataset.ts'
import { checkLive, type LiveOptions, livePull, type Subscribable } from './live-pull.ts'
import type { Pull } from './pull.ts'

/** A dataset whose elements come as they happen. */
export interface LiveDataset<T> extends Dataset<T> {
  /** How many elements were left out so far, in all passes together, because they found the buffer full. */
  readonly dropped: number
}

/**
 * A dataset of what an Observable emits: for data that comes by and by, at its own pace.
 *
 *     source        a b c d - - - - - e |        buffer: 2
 *     pulls         - - - - ? ? ? ? ? ? ? ?
 *     'error'       ------- a b failure
 *     'dropOldest'  ------- c d ----- e |
 *     'dropNewest'  ------- a b ----- e |
 *
 * A pass subscribes when it starts. Elements wait in a buffer while nobody pulls, and never more than it holds; a pull of an
 * empty buffer waits. Completion of the source ends the pass, its error fails the pull, both after the elements that waited.
 * Whoever closes the pass unsubscribes. What the source emits while no pass is open is missed, unless the source repeats it.
 *
 * @param source anything with `subscribe({ next, error, complete })` that returns `{ unsubscribe() }`, such as an Observable of
 * rxjs. One that emits inside of `subscribe` fills the buffer before the first pull: it has to hold them all
 * @param options.buffer how many elements may wait; 64 by default
 * @param options.overflow `'error'` by default, `'dropOldest'` or `'dropNewest'`
 * @returns a dataset of unknown length; `dropped` counts what was left out
 * @throws TypeError when the source has no `subscribe`, or for another word in the place of `overflow`; RangeError when the buffer
 * is no integer of at least 1, and, when pulled, where the buffer overflowed
 *
 * @example
 * const source = {
 *   subscribe: (observer) => {
 *     for (const value of [1, 2, 3, 4]) observer.next(value)
 *     observer.complete()
 *     return { unsubscribe: () => {} }
 *   },
 * }
 * const recent = fromObservable(source, { buffer: 3, overflow: 'dropOldest' })
 * assert.deepEqual(recent.map((n) => 10 * n).toArray(), [20, 30, 40])
 * assert.equal(recent.dropped, 1)
 */
export function fromObservable<T>(source: Subscribable<T>, options: LiveOptions = {}): LiveDataset<T> {
  const checked = checkLive(source, options)
  let count = 0
  const iterate = (): Pull<T> =>
    livePull(source, checked, () => {
      count++
    })
  return {
    ...withStages({ length: undefined, reorders: false, live: true, iterate }),
    get dropped() {
      return count
    },
  }
}
