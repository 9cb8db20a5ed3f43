import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import type { Loss } from './reduction.ts'

/**
 * The mean absolute error. A sample's loss is the mean over its m elements, l = (1/m) sum of |prediction - target|.
 *
 * An outlier counts no more than in proportion: what fits best is the median, where `mse` finds the mean. It is convex; the
 * gradient is the sign of the error, and 0 where there is none.
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, also where they would broadcast; TypeError for a bad option
 * @example
 * mae()(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])).item() // => 1.5
 */
export function mae(options: ElementLossOptions = {}): Loss {
  t.knownOptions('mae', options, 'reduction')
  return elementLoss('mae', options, (prediction, target) => t.abs(t.sub(prediction, target)))
}
