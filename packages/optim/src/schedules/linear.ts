import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount } from '../range.ts'

/** What `linear` takes. */
export interface LinearOptions {
  /** The rate of step 0. */
  readonly from: number
  /** The rate that is reached. */
  readonly to: number
  /** The step that has it first. */
  readonly steps: number
}

/**
 * A rate that goes in a straight line, up or down, and then stays: from + (to - from) · min(step / steps, 1).
 *
 * Steps count from 0: the first update has the rate `from`. PyTorch's LinearLR takes both ends as shares of the optimizer's rate.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.to the rate from step `steps` on, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = linear({ from: 1, to: 0.5, steps: 4 })
 * ;[0, 1, 2, 3, 4, 5].map(rate) // => [1, 0.875, 0.75, 0.625, 0.5, 0.5]
 *
 * Devlin, Chang, Lee & Toutanova 2019, BERT: pre-training of deep bidirectional transformers, has it behind a warm-up.
 */
export function linear(options: LinearOptions): Schedule {
  knownOptions('linear', options, 'from to steps')
  return straight('linear', options)
}

/** A straight line under the name of the function that a user calls. */
export function straight(operation: string, { from, to, steps }: LinearOptions): Schedule {
  checkNumber(operation, 'from', from, notNegative)
  checkNumber(operation, 'to', to, notNegative)
  checkNumber(operation, 'steps', steps, positiveCount)
  return (step) => {
    const done = Math.min(checkNumber(operation, 'step', step, count) / steps, 1)
    // Exact at both ends, which from + (to - from) done is not.
    return from * (1 - done) + to * done
  }
}
