import { knownOptions } from '@tapeflow/autodiff'
import { rowsLoss } from './class-loss.ts'
import { type CrossEntropyOptions, crossEntropyOfRows, given } from './cross-entropy-of-rows.ts'
import { checkFrom } from './from.ts'
import { checkLabelSmoothing } from './label-smoothing.ts'
import type { Loss } from './reduction.ts'

/**
 * A loss for classes, of targets that are rows of probabilities, such as one-hot ones: the negative logarithm of the
 * probability that the prediction gives to the target, l = -sum over k of target_k ln p_k, with p = softmax(prediction) from
 * logits. For labels see `sparseCrossEntropy`.
 *
 * From logits it is exact at any size of them, masks of -Infinity included; the gradient is p - target. From probabilities
 * the true class at 0 is an infinite loss, as it should be.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.labelSmoothing s: the target is (1 - s) target + s / classes; 0 by default
 * @param options.classWeights a number c for each class: a row's weight w is multiplied by sum over k of target_k c_k
 * @returns (prediction `[rows, …, classes]`, target of the same shape, weights? `[rows]` or `[rows, …]`) -> a scalar,
 * `[rows, …]` for `'none'`
 * @throws RangeError when shapes do not fit, labels among them, or an option is out of range; TypeError for a bad option, and
 * for a prediction from logits that is recorded and comes from a softmax
 * @example
 * const loss = crossEntropy({ from: 'logits' })
 * loss(t.tensor([[1000, 0], [0, 0]]), t.tensor([[1, 0], [0, 1]])).item() // => Math.fround(Math.LN2 / 2)
 * loss(t.tensor([[1000, 0]]), t.tensor([[0.5, 0.5]])).item() // => 500
 * crossEntropy({ from: 'probabilities' })(t.tensor([[0.25, 0.75]]), t.tensor([[1, 0]])).item() // => Math.fround(Math.log(4))
 *
 * Bridle: Probabilistic interpretation of feedforward classification network outputs (1990); Szegedy et al.: Rethinking the
 * Inception architecture for computer vision (CVPR 2016), of label smoothing
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const name = 'crossEntropy'
  const {
    from = 'logits',
    reduction = 'mean',
    labelSmoothing = 0,
    classWeights,
  } = knownOptions(name, options, 'from reduction labelSmoothing classWeights')
  checkFrom(name, from)
  checkLabelSmoothing(name, labelSmoothing)
  return rowsLoss(
    name,
    { reduction, classWeights },
    (prediction, target, weights) =>
      crossEntropyOfRows(given(name, prediction, weights, from), target, from, labelSmoothing),
    'sparseCrossEntropy',
  )
}
