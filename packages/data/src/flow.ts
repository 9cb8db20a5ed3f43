import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { after, done, item, type Pull, pass } from './pull.ts'
import type { Stacked } from './row.ts'

/**
 * A source that can be asked for any element.
 *
 * `gather`, if there is one, gives the rows at `indices` stacked into one batch, as `batch` would from `at`: a store that
 * keeps its rows together copies them straight into place.
 */
export interface Indexed<T> {
  readonly length: number
  at(index: number): T | Promise<T>
  gather?(indices: Uint32Array): Stacked<T>
}

/** An indexed source seen in some order: the element at `position` is `source.at(order(epoch)(position))`. */
export interface View<T> {
  readonly source: Indexed<T>
  order(epoch: number): (position: number) => number
}

/**
 * What a stage takes and gives: a dataset without its methods.
 *
 * `view` is there as long as elements can be reached by position: then `shuffle`, `take`, `skip` and `split` move indices
 * instead of elements, and `batch` gathers.
 */
export interface Flow<T> {
  /** How many elements a pass gives, Infinity if it never ends, undefined if only reading tells. */
  readonly length: number | undefined
  /** Whether passes differ in their order. */
  readonly reorders: boolean
  /** Whether elements come as they happen: a pass cannot be read again, and waits for what comes. */
  readonly live: boolean
  readonly view?: View<T>
  iterate(epoch: number): Pull<T>
}

/** The flow of the first `length` elements of a view. */
export function viewFlow<T>(view: View<T>, length: number, reorders: boolean): Flow<T> {
  return {
    length,
    reorders,
    live: false,
    view,
    iterate(epoch) {
      const order = view.order(epoch)
      let position = 0
      return pass(undefined, () => {
        if (position >= length) return done
        return after(view.source.at(order(position++)), (value) => item(value))
      })
    },
  }
}

/** Throws a TypeError unless `value` is a number, a RangeError unless it is an integer of at least `minimum`. */
export function requireCount(operation: string, what: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return
  const problem = `${what} must be an integer of at least ${minimum}`
  if (typeof value !== 'number') failType(operation, `${problem}, got ${kindOf(value)}`)
  failRange(operation, `${problem}, got ${value}`)
}

/** Throws a TypeError unless `value` is a function. */
export function requireFunction(operation: string, value: unknown): void {
  if (typeof value !== 'function') failType(operation, `expected a function, got ${kindOf(value)}`)
}
