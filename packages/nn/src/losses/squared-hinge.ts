import * as t from '@tapeflow/autodiff'
import { type BinaryLossOptions, binaryLoss, positive } from './binary-loss.ts'
import { withFiniteSquare } from './guarded.ts'
import type { Loss } from './reduction.ts'

/**
 * The square of the hinge loss: l = max(0, 1 - y f)² for a target y of -1 or 1 and a prediction f. Smooth at the margin, and
 * harder on large mistakes; a sample's loss is the mean over its outputs. The gradient is -2 y max(0, 1 - y f).
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights `[negative, positive]`: what the weight of an output is multiplied by
 * @returns (prediction `[rows]` or `[rows, …]`, target of the same shape, or `[rows]` for predictions `[rows, 1]`, weights?
 * `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option
 * @example
 * squaredHinge({ reduction: 'none' })(t.tensor([2, 0.5, -3]), t.tensor([1, 1, 1])).toArray() // => [0, 0.25, 16]
 *
 * Lee & Mangasarian: SSVM: a smooth support vector machine for classification (2001)
 */
export function squaredHinge(options: BinaryLossOptions = {}): Loss {
  const { reduction, classWeights } = t.knownOptions('squaredHinge', options, 'reduction classWeights')
  const each = (f: t.Tensor, y: t.Tensor): t.Tensor => t.square(t.relu(t.sub(1, t.mul(y, f))))
  return binaryLoss('squaredHinge', { reduction, classWeights }, each, positive, withFiniteSquare)
}
