import * as t from '@tapeflow/autodiff'
import { l1 } from './l1.ts'
import { l2 } from './l2.ts'
import { type Penalty, penaltyOf } from './penalty.ts'

/**
 * Both penalties, the elastic net: l1 · sum of |w| + l2 · sum of w².
 *
 * @param options.l1 0 or more
 * @param options.l2 0 or more
 * @throws RangeError for other factors
 * @example
 * l1l2({ l1: 0.5, l2: 0.1 })(t.tensor([[1, -3]])).item() // => 3
 *
 * Zou & Hastie: Regularization and variable selection via the elastic net (2005)
 */
export function l1l2(options: { readonly l1: number; readonly l2: number }): Penalty {
  t.knownOptions('l1l2', options, 'l1 l2')
  const [absolute, squared] = [l1(options.l1), l2(options.l2)]
  return penaltyOf('l1l2', (weights) => t.add(absolute(weights), squared(weights)))
}
