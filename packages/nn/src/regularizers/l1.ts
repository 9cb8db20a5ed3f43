import * as t from '@tapeflow/autodiff'
import { checkFactor, type Penalty, penaltyOf } from './penalty.ts'

/**
 * A penalty on the size of weights: factor · sum of |w|. It draws all weights towards 0 equally hard, so that many of them end
 * near it. The gradient is factor · sign(w), 0 at 0.
 *
 * @param factor 0 or more
 * @throws RangeError for another factor
 * @example
 * l1(0.5)(t.tensor([[1, -3]])).item() // => 2
 *
 * Tibshirani: Regression shrinkage and selection via the lasso (1996)
 */
export function l1(factor: number): Penalty {
  checkFactor('l1', factor)
  return penaltyOf('l1', (weights) => t.mul(t.sum(t.abs(weights)), factor))
}
