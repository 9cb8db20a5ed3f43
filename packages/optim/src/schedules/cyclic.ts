import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount, share } from '../range.ts'

/** What `cyclic` takes. */
export interface CyclicOptions {
  /** The rate of step 0, and of the end of each cycle. */
  readonly from: number
  /** The rate in the middle of the first cycle. */
  readonly to: number
  /** In how many steps it goes from one to the other. */
  readonly steps: number
  /** In how many steps it goes back; as many by default. */
  readonly stepsBack?: number
  /**
   * How far cycles go: all as far ('triangular'), each half as far as the one before ('triangular2'), or factor^step of the way
   * ('expRange'); 'triangular' by default.
   */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange'
  /** How much of the way a step leaves in the mode 'expRange', above 0 and at most 1. */
  readonly factor?: number
}

/**
 * A rate that goes to and fro in straight lines. With x from 0 up to 1 and back within a cycle, and n cycles done:
 *
 *     from + (to - from) · x · height        height = 1, 2^-n or factor^step
 *
 * PyTorch's CyclicLR is this, with base_lr, max_lr, step_size_up, step_size_down and gamma; it also moves momentum against the rate:
 * send the machine `setHyperparameter` for that. Keras has none.
 *
 * @param options.from from 0 on
 * @param options.to from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range, the mode is unknown, or there is a factor in another
 * mode; TypeError where it is no number
 * @example
 * const rate = cyclic({ from: 0, to: 1, steps: 2, mode: 'triangular2' })
 * ;[0, 1, 2, 3, 4, 5, 6, 7, 8].map(rate) // => [0, 0.5, 1, 0.5, 0, 0.25, 0.5, 0.25, 0]
 *
 * Smith 2017, Cyclical learning rates for training neural networks.
 */
export function cyclic(options: CyclicOptions): Schedule {
  const {
    from,
    to,
    steps,
    stepsBack = steps,
    mode = 'triangular',
    factor,
  } = knownOptions('cyclic', options, 'from to steps stepsBack mode factor')
  checkNumber('cyclic', 'from', from, notNegative)
  checkNumber('cyclic', 'to', to, notNegative)
  checkNumber('cyclic', 'steps', steps, positiveCount)
  checkNumber('cyclic', 'stepsBack', stepsBack, positiveCount)
  if (mode !== 'triangular' && mode !== 'triangular2' && mode !== 'expRange')
    failRange('cyclic', `mode must be 'triangular', 'triangular2' or 'expRange', got ${String(mode)}`)
  if (mode === 'expRange') checkNumber('cyclic', 'factor', factor, share)
  else if (factor !== undefined)
    failRange('cyclic', `factor is of the mode 'expRange' only, got ${factor} in '${mode}'`, 'leave it out')
  return (step) => {
    checkNumber('cyclic', 'step', step, count)
    const cycle = steps + stepsBack
    const within = step % cycle
    const way = within <= steps ? within / steps : (cycle - within) / stepsBack
    const height =
      mode === 'triangular' ? 1 : mode === 'triangular2' ? 0.5 ** Math.floor(step / cycle) : factor! ** step
    return from * (1 - way * height) + to * (way * height)
  }
}
