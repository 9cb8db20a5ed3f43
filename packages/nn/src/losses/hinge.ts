import * as t from '@tapeflow/autodiff'
import { type BinaryLossOptions, binaryLoss, positive } from './binary-loss.ts'
import type { Loss } from './reduction.ts'

/**
 * The loss of support vector machines: l = max(0, 1 - y f) for a target y of -1 or 1 and a prediction f. 0 once the sign is
 * right by a margin of 1; a sample's loss is the mean over its outputs.
 *
 * The gradient is -y where y f < 1, and 0 from there on. Targets of 0 have no class here: use 2 z - 1. Without the margin it is
 * `perceptronLoss`.
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights `[negative, positive]`: what the weight of an output is multiplied by
 * @returns (prediction `[rows]` or `[rows, …]`, target of the same shape, or `[rows]` for predictions `[rows, 1]`, weights?
 * `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option
 * @example
 * hinge({ reduction: 'none' })(t.tensor([2, 0.5, -3]), t.tensor([1, 1, 1])).toArray() // => [0, 0.5, 4]
 *
 * Cortes & Vapnik: Support-vector networks (1995)
 */
export function hinge(options: BinaryLossOptions = {}): Loss {
  const { reduction, classWeights } = t.knownOptions('hinge', options, 'reduction classWeights')
  const each = (f: t.Tensor, y: t.Tensor): t.Tensor => t.relu(t.sub(1, t.mul(y, f)))
  return binaryLoss('hinge', { reduction, classWeights }, each, positive)
}
