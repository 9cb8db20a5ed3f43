import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Pull } from '@tapeflow/data'
import { checkBatch, type TrainBatch } from './batch.ts'
import type { Log } from './monitors/guard.ts'

/** What a pull gave: a batch, the end of the pass, or nothing because the wait was given up. */
export type Arrived = IteratorResult<TrainBatch, undefined> | undefined

/** A program that pulls: it waits only where the data is asynchronous; what else it yields is `Y`. */
export type Pulling<R, Y = never> = Generator<Promise<unknown> | Y, R, undefined>

/**
 * What a pull gave, after its batch was checked.
 *
 * @throws TypeError or RangeError where it is none to train with
 */
export function checked(arrived: Arrived): Arrived {
  if (arrived !== undefined && !arrived.done) checkBatch(arrived.value)
  return arrived
}

/**
 * What a pull gave, at once or later.
 *
 * @throws TypeError where that is nothing, which would stand for a wait that was given up
 */
export function given<T>(pulled: T): T {
  if (typeof pulled === 'object' && pulled !== null) return pulled
  return failType(
    'fit',
    `the data must give { done, value }, got ${kindOf(pulled)}`,
    'write it with dataset(…)',
  )
}

/**
 * What a promise gives, undefined where the wait is given up. Of data that is there at once no promise is made, and this is
 * not called.
 *
 * @param giveUp asked whenever the run is woken while it waits
 */
export function* awaited<T>(promise: Promise<T>, giveUp: () => boolean): Pulling<T | undefined> {
  let settled: { readonly value: T } | { readonly error: unknown } | null = null
  const settling = promise.then(
    (value) => {
      settled = { value }
    },
    (error: unknown) => {
      settled = { error }
    },
  )
  const looked = (): typeof settled => settled
  for (;;) {
    yield settling
    const found = looked()
    if (found === null) {
      if (giveUp()) return undefined
    } else if ('error' in found) throw found.error
    else return found.value
  }
}

/** Ends a pass early. Nobody waits for what the source does about it, and the run is not its failure: that is logged. */
export function close(pull: Pull<unknown>, log: Log, operation = 'fit'): void {
  const failed = (error: unknown): void => log(`${operation}: closing the data failed`, error)
  try {
    const closing = pull.return?.()
    if (closing instanceof Promise) closing.catch(failed)
  } catch (error) {
    failed(error)
  }
}

/** Throws the error of data that ended before its first batch. */
export function failEmpty(what: string, operation = 'fit'): never {
  failRange(
    operation,
    `the ${what} gave no batch`,
    'check its filters, and that it can be read more than once',
  )
}
