import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount } from '../range.ts'

/** What `cosineDecay` takes. */
export interface CosineDecayOptions {
  /** The rate of step 0. */
  readonly from: number
  /** The step that has the rate `to` first. */
  readonly steps: number
  /** The rate at the end; 0 by default. */
  readonly to?: number
}

/**
 * A rate that falls along half a cosine and then stays: to + (from - to) · (1 + cos(π min(step / steps, 1))) / 2.
 *
 * Steps count from 0: the first update has the rate `from`.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @param options.to the rate from step `steps` on; 0 by default
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = cosineDecay({ from: 1, steps: 4 })
 * ;[0, 2, 4, 9].map((step) => rate(step).toFixed(3)) // => ['1.000', '0.500', '0.000', '0.000']
 *
 * Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts, equation 5 without restarts.
 */
export function cosineDecay(options: CosineDecayOptions): Schedule {
  const { from, steps, to = 0 } = knownOptions('cosineDecay', options, 'from steps to')
  checkNumber('cosineDecay', 'from', from, notNegative)
  checkNumber('cosineDecay', 'steps', steps, positiveCount)
  checkNumber('cosineDecay', 'to', to, notNegative)
  return (step) => {
    const done = Math.min(checkNumber('cosineDecay', 'step', step, count) / steps, 1)
    const left = (1 + Math.cos(Math.PI * done)) / 2
    return from * left + to * (1 - left)
  }
}
