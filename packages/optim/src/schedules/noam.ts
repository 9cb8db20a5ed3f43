import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount } from '../range.ts'

/** What `noam` takes. */
export interface NoamOptions {
  /** How many features a place of the transformer has: d_model. */
  readonly features: number
  /** For how many steps the rate rises; 4000 by default, as in the paper. */
  readonly warmupSteps?: number
  /** What all is multiplied with, from 0 on; 1 by default. */
  readonly factor?: number
}

/**
 * The rate of the first transformers: it rises in a straight line, and then falls as one over the root of time. With t = step + 1:
 *
 *     factor · features^-0.5 · min(t^-0.5, t · warmupSteps^-1.5)
 *
 * The paper counts updates from 1, and so does t; the largest rate, factor / √(features · warmupSteps), is that of update
 * `warmupSteps`. Named after Noam Shazeer.
 *
 * @param options.features an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = noam({ features: 64, warmupSteps: 4 })
 * ;[0, 1, 2, 3, 15].map(rate) // => [0.015625, 0.03125, 0.046875, 0.0625, 0.03125]
 *
 * Vaswani et al. 2017, Attention is all you need, section 5.3.
 */
export function noam(options: NoamOptions): Schedule {
  const {
    features,
    warmupSteps = 4000,
    factor = 1,
  } = knownOptions('noam', options, 'features warmupSteps factor')
  checkNumber('noam', 'features', features, positiveCount)
  checkNumber('noam', 'warmupSteps', warmupSteps, positiveCount)
  checkNumber('noam', 'factor', factor, notNegative)
  return (step) => {
    const t = checkNumber('noam', 'step', step, count) + 1
    return (factor / Math.sqrt(features)) * Math.min(1 / Math.sqrt(t), t * warmupSteps ** -1.5)
  }
}
