import * as t from '@tapeflow/autodiff'
import { type BinaryLossOptions, binaryLoss, positive } from './binary-loss.ts'
import type { Loss } from './reduction.ts'

/**
 * The loss whose gradient descent is the perceptron's rule: l = max(0, -y f) for a target y of -1 or 1 and a prediction f. 0
 * where the sign is right, however small the margin; a sample's loss is the mean over its outputs.
 *
 * The gradient is -y where y f <= 0, at 0 too: otherwise weights of 0 would never learn. Some call this the hinge loss, which is
 * max(0, 1 - y f): see `hinge`.
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights `[negative, positive]`: what the weight of an output is multiplied by
 * @returns (prediction `[rows]` or `[rows, …]`, target of the same shape, or `[rows]` for predictions `[rows, 1]`, weights?
 * `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option
 * @example
 * const loss = perceptronLoss({ reduction: 'sum' })
 * loss(t.tensor([2, -3, 0]), t.tensor([1, 1, -1])).item() // => 3
 * t.grad((f) => loss(f, t.tensor([1, 1, -1])))(t.tensor([2, -3, 0])).toArray() // => [0, -1, 1]
 *
 * Rosenblatt: The perceptron: a probabilistic model for information storage and organization in the brain (1958)
 */
export function perceptronLoss(options: BinaryLossOptions = {}): Loss {
  const { reduction, classWeights } = t.knownOptions('perceptronLoss', options, 'reduction classWeights')
  const each = (f: t.Tensor, y: t.Tensor): t.Tensor => {
    const wrong = t.neg(t.mul(y, f))
    // Chosen at 0 too, which relu would not.
    return t.where(t.less(wrong, 0), 0, wrong)
  }
  return binaryLoss('perceptronLoss', { reduction, classWeights }, each, positive)
}
