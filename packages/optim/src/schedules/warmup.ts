import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { straight } from './linear.ts'

/** What `warmup` takes. */
export interface WarmupOptions {
  /** The rate that is reached. */
  readonly to: number
  /** The step that has it first. */
  readonly steps: number
  /** The rate of step 0; 0 by default. */
  readonly from?: number
}

/**
 * A rate that rises in a straight line and then stays: from + (to - from) · min(step / steps, 1).
 *
 * Steps count from 0: the first update has the rate `from`, so with 0 it changes nothing but what the optimizer
 * remembers; `from: to / steps` moves at once. Joined at `steps`, what follows starts where this ends.
 *
 * @param options.to the rate from step `steps` on, from 0 on
 * @param options.steps an integer from 1 on
 * @param options.from the rate of step 0; 0 by default
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = warmup({ to: 0.1, steps: 4 })
 * ;[0, 1, 2, 3, 4, 5].map(rate) // => [0, 0.025, 0.05, 0.07500000000000001, 0.1, 0.1]
 *
 * Goyal et al. 2017, Accurate, large minibatch SGD: training ImageNet in 1 hour.
 */
export function warmup(options: WarmupOptions): Schedule {
  const { to, steps, from = 0 } = knownOptions('warmup', options, 'to steps from')
  return straight('warmup', { from, to, steps })
}
