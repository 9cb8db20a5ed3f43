import { checkArguments } from '../debug/arguments.ts'
import { watching } from '../debug/watching.ts'
import { RecordingError } from '../fail.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { underWatcher } from '../scopes.ts'
import { inScope, visitTensors } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/** What `debug` reports. */
export interface DebugOptions {
  /**
   * Whether an infinity that is made of finite numbers, or comes in with the arguments, is an error. On by default; off, only
   * NaN is.
   */
  readonly infinities?: boolean
}

/**
 * The function `f`, run so that it stops at the first operation that makes a NaN or an infinity. The error says which
 * operation that is, where in its result it is, what the operation was given, the layer, whether it is in the forward or the
 * backward pass, and the line of the caller's code. It takes several times as long; the result has the same bits.
 *
 * Gradients, compiled functions and loops belong inside: `t.debug(t.grad(f))`, `t.debug(t.compile(f))`. Compiled functions run
 * operation by operation here, in the strict numeric mode, and donate nothing; what a `scan` or `checkpoint` makes is looked for
 * step by step. An operation that is given an infinity, a mask of -Infinity for instance, may hand it on; a NaN is an error
 * wherever it comes from.
 *
 * @param f a synchronous function
 * @param options.infinities false lets infinities pass; true by default
 * @throws AnomalyError where there is a NaN or an infinity; RecordingError where `f` is being recorded by a transform around
 * @example
 * const f = (x: t.Tensor) => t.sum(t.sqrt(t.namedScope('shift', () => t.sub(x, 1))))
 * t.debug(f)(t.tensor([1, 5])).item() // => 2
 * t.debug(f)(t.tensor([0, 5])) // throws AnomalyError: sqrt: gives NaN at [0] for finite inputs; look at what it is given
 * t.debug(t.grad(f))(t.tensor([1, 5])) // throws AnomalyError: div: gives Infinity at [0] for finite inputs on the way back through sqrt
 */
export function debug<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: DebugOptions = {},
): (...args: A) => R {
  checkFunction('debug', f)
  checkOptions('debug', options, ['infinities'])
  const infinities = checkFlag('debug', 'infinities', options.infinities ?? true)
  return (...args) =>
    inScope(() => {
      visitTensors(args, (x) => {
        if (x.offset === -2) failRecorded()
      })
      checkArguments(args, infinities)
      return underWatcher(watching(infinities), () => {
        const result = f(...args)
        refuseAsynchronous('debug', result)
        return result
      })
    })
}

function failRecorded(): never {
  throw new RecordingError(
    'debug',
    'the function is being recorded: there are only shapes to look at',
    'put debug outside: t.debug(t.compile(f))',
  )
}
