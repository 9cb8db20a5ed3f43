import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount, share } from '../range.ts'

/** What `exponentialDecay` takes. */
export interface ExponentialDecayOptions {
  /** The rate of step 0. */
  readonly from: number
  /** How much of the rate is left after `steps`, above 0 and at most 1. */
  readonly factor: number
  /** How many steps leave `factor`; 1 by default. */
  readonly steps?: number
  /** Whether the rate falls at each multiple of `steps` only; false by default. */
  readonly staircase?: boolean
}

/**
 * A rate of which the same share is lost in the same time: from · factor^(step / steps), with `staircase` from · factor^⌊step / steps⌋.
 *
 * With `steps` 1 it is PyTorch's ExponentialLR; with both, Keras' ExponentialDecay, whose decay_rate is `factor`.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = exponentialDecay({ from: 1, factor: 0.25, steps: 10 })
 * ;[0, 5, 10, 20].map(rate) // => [1, 0.5, 0.25, 0.0625]
 *
 * Abadi et al. 2015, TensorFlow: large-scale machine learning on heterogeneous systems (tf.train.exponential_decay).
 */
export function exponentialDecay(options: ExponentialDecayOptions): Schedule {
  const {
    from,
    factor,
    steps = 1,
    staircase = false,
  } = knownOptions('exponentialDecay', options, 'from factor steps staircase')
  checkNumber('exponentialDecay', 'from', from, notNegative)
  checkNumber('exponentialDecay', 'factor', factor, share)
  checkNumber('exponentialDecay', 'steps', steps, positiveCount)
  return (step) => {
    const periods = checkNumber('exponentialDecay', 'step', step, count) / steps
    return from * factor ** (staircase ? Math.floor(periods) : periods)
  }
}
