import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount, share } from '../range.ts'

/** What `stepDecay` takes. */
export interface StepDecayOptions {
  /** The rate of step 0. */
  readonly from: number
  /** How many steps have the same rate. */
  readonly steps: number
  /** How much of the rate is left each time, above 0 and at most 1; 0.1 by default, as PyTorch's StepLR has it. */
  readonly factor?: number
}

/**
 * A rate that stays for `steps` steps and then falls, again and again: from · factor^⌊step / steps⌋.
 *
 * `piecewise` is for falls at steps of your choice (PyTorch's MultiStepLR), `exponentialDecay` for a rate that falls all the time.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = stepDecay({ from: 1, factor: 0.5, steps: 10 })
 * ;[0, 9, 10, 25].map(rate) // => [1, 1, 0.5, 0.25]
 *
 * He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition, divides by 10 where the error stays.
 */
export function stepDecay(options: StepDecayOptions): Schedule {
  const { from, steps, factor = 0.1 } = knownOptions('stepDecay', options, 'from steps factor')
  checkNumber('stepDecay', 'from', from, notNegative)
  checkNumber('stepDecay', 'steps', steps, positiveCount)
  checkNumber('stepDecay', 'factor', factor, share)
  return (step) => from * factor ** Math.floor(checkNumber('stepDecay', 'step', step, count) / steps)
}
