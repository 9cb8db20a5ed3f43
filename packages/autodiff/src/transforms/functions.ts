import { failType, kindOf } from '../fail.ts'
import { Tensor } from '../tensor.ts'

/** Checks that what is to be transformed is a function: the usual mistake is its result. */
export function checkFunction(operation: string, f: unknown): void {
  if (typeof f !== 'function')
    failType(operation, `a function is needed, got ${kindOf(f)}`, 'pass x => … instead of its result')
}

/**
 * Refuses the promise of an asynchronous function, and the iterator of a generator: what they make would come when the
 * scope, or the tape, is closed.
 */
export function refuseAsynchronous(operation: string, returned: unknown): void {
  if (typeof returned !== 'object' || returned === null) return
  if (returned instanceof Tensor) return
  if ('then' in returned && typeof returned.then === 'function') {
    failType(operation, 'the function is asynchronous', 'await outside, and pass a synchronous function')
  }
  // What has no `next` is none, which is asked faster than its name.
  if ('next' in returned && Object.prototype.toString.call(returned) === '[object Generator]') {
    failType(operation, 'the function is a generator', 'loop outside, and pass a plain function')
  }
}
