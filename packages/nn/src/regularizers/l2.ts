import * as t from '@tapeflow/autodiff'
import { checkFactor, type Penalty, penaltyOf } from './penalty.ts'

/**
 * A penalty on the squares of weights: factor · sum of w². The gradient is 2 factor w: large weights are drawn to 0 the hardest.
 *
 * A weight decay of d in the sense of PyTorch's SGD is a factor of d / 2; adaptive optimizers divide this gradient like any other,
 * which decoupled weight decay is not.
 *
 * @param factor 0 or more
 * @throws RangeError for another factor
 * @example
 * l2(0.5)(t.tensor([[1, -3]])).item() // => 5
 *
 * Hoerl & Kennard: Ridge regression: biased estimation for nonorthogonal problems (1970)
 */
export function l2(factor: number): Penalty {
  checkFactor('l2', factor)
  return penaltyOf('l2', (weights) => t.mul(t.sum(t.square(weights)), factor))
}
