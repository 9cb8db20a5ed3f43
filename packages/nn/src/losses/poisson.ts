import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import { aboveZero } from './guarded.ts'
import { type Loss, largest } from './reduction.ts'

/** What predictions are, and what becomes of the samples' losses. */
export interface PoissonOptions extends ElementLossOptions {
  /** Whether predictions are logarithms of rates, any numbers (the default), or rates from 0 on. */
  readonly from?: 'logRates' | 'rates'
}

// The largest of which float32 has an exponential.
const largestLogRate = 88.72

/**
 * A loss for counts: the negative log-likelihood of a Poisson distribution of rate r, without what does not depend on the
 * prediction, l = r - target ln r; a sample's loss is the mean over its elements. From logarithms x of rates it is
 * exp(x) - target x.
 *
 * Its least value is target - target ln target, at r = target. A rate of 0 for a count above 0 is an infinite loss.
 *
 * @param options.from `'logRates'` (default) or `'rates'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, also where they would broadcast; TypeError for a bad option
 * @example
 * poisson()(t.tensor([0]), t.tensor([3])).item() // => 1
 * poisson({ from: 'rates', reduction: 'none' })(t.tensor([1, 0, 0]), t.tensor([3, 0, 1])).toArray() // => [1, 0, Infinity]
 */
export function poisson(options: PoissonOptions = {}): Loss {
  const { from = 'logRates' } = t.knownOptions('poisson', options, 'from reduction')
  if (from !== 'logRates' && from !== 'rates')
    t.failType('poisson', `from must be 'logRates' or 'rates', got '${String(from)}'`)
  if (from === 'logRates') {
    // Of a rate of 0, whose logarithm is -Infinity, a count of 0 is no loss.
    const ofLogRates = (x: t.Tensor, target: t.Tensor): t.Tensor =>
      t.sub(t.exp(x), t.mul(target, t.where(target, x, t.maximum(x, -largest))))
    return elementLoss('poisson', options, ofLogRates, {
      finite: (x) => t.minimum(x, largestLogRate),
    })
  }
  const ofRates = (rate: t.Tensor, target: t.Tensor): t.Tensor => {
    const positive = t.where(target, rate, aboveZero(rate))
    return t.sub(rate, t.mul(target, t.log(positive)))
  }
  return elementLoss('poisson', options, ofRates, { finite: aboveZero })
}
