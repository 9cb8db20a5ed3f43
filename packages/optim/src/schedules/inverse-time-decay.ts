import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount } from '../range.ts'

/** What `inverseTimeDecay` takes. */
export interface InverseTimeDecayOptions {
  /** The rate of step 0. */
  readonly from: number
  /** How fast it falls, from 0 on: at step `steps` the rate is from / (1 + decay). */
  readonly decay: number
  /** In how many steps; 1 by default. */
  readonly steps?: number
  /** Whether the rate falls at each multiple of `steps` only; false by default. */
  readonly staircase?: boolean
}

/**
 * A rate that falls as one over time: from / (1 + decay · step / steps), with `staircase` from / (1 + decay · ⌊step / steps⌋).
 *
 * Where `decay` is above 0, the sum over all steps is infinite and that of the squares is not: what stochastic approximation asks
 * of rates in order to converge. Keras' InverseTimeDecay is this, with decay_rate for `decay`; PyTorch has none.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = inverseTimeDecay({ from: 1, decay: 1, steps: 10 })
 * ;[0, 5, 10, 30].map((step) => rate(step).toFixed(4)) // => ['1.0000', '0.6667', '0.5000', '0.2500']
 *
 * Robbins & Monro 1951, A stochastic approximation method.
 */
export function inverseTimeDecay(options: InverseTimeDecayOptions): Schedule {
  const {
    from,
    decay,
    steps = 1,
    staircase = false,
  } = knownOptions('inverseTimeDecay', options, 'from decay steps staircase')
  checkNumber('inverseTimeDecay', 'from', from, notNegative)
  checkNumber('inverseTimeDecay', 'decay', decay, notNegative)
  checkNumber('inverseTimeDecay', 'steps', steps, positiveCount)
  return (step) => {
    const periods = checkNumber('inverseTimeDecay', 'step', step, count) / steps
    return from / (1 + decay * (staircase ? Math.floor(periods) : periods))
  }
}
