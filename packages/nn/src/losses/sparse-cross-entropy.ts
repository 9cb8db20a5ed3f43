import * as t from '@tapeflow/autodiff'
import { labelsLoss } from './class-loss.ts'
import { type CrossEntropyOptions, given } from './cross-entropy-of-rows.ts'
import { checkFrom } from './from.ts'
import { checkLabelSmoothing } from './label-smoothing.ts'
import type { Loss } from './reduction.ts'

/**
 * A loss for classes, of targets that are labels: the negative logarithm of the probability that the prediction gives to the
 * label y, l = -ln p_y, with p = softmax(prediction) from logits. It is what `crossEntropy` is of one-hot rows.
 *
 * From logits it is exact at any size of them, masks of -Infinity included; the gradient is p, less 1 at the label. From
 * probabilities the true class at 0 is an infinite loss, as it should be.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.labelSmoothing s: l = -(1 - s) ln p_y - (s / classes) sum over k of ln p_k; 0 by default
 * @param options.classWeights a number c for each class: a row's weight w is multiplied by c_y
 * @returns (prediction `[rows, …, classes]`, labels `[rows, …]`, integers counted from 0, weights? `[rows]` or `[rows, …]`) ->
 * a scalar, `[rows, …]` for `'none'`
 * @throws RangeError when shapes do not fit, one-hot rows among them, or an option is out of range, or a label: names it and
 * its row, where the loss is recorded once the program is run; TypeError for a bad option, and for a prediction from logits
 * that is recorded and comes from a softmax
 * @example
 * const loss = sparseCrossEntropy({ from: 'logits' })
 * loss(t.tensor([[1000, 0], [0, 0]]), t.tensor([0, 1])).item() // => Math.fround(Math.LN2 / 2)
 * sparseCrossEntropy({ from: 'probabilities' })(t.tensor([[0.25, 0.75]]), t.tensor([0])).item() // => Math.fround(Math.log(4))
 */
export function sparseCrossEntropy(options: CrossEntropyOptions = {}): Loss {
  const name = 'sparseCrossEntropy'
  const {
    from = 'logits',
    reduction = 'mean',
    labelSmoothing = 0,
    classWeights,
  } = t.knownOptions(name, options, 'from reduction labelSmoothing classWeights')
  checkFrom(name, from)
  checkLabelSmoothing(name, labelSmoothing)
  const ofLabels = (prediction: t.Tensor, labels: t.Tensor, weights: t.Tensor | undefined): t.Tensor => {
    const x = given(name, prediction, weights, from)
    const own = (): t.Tensor =>
      from === 'logits' ? t.sparseSoftmaxCrossEntropy(x, labels) : ofProbabilities(x, labels)
    if (labelSmoothing === 0) return own()
    const logarithms = from === 'logits' ? t.logSoftmax(x) : t.log(x)
    const even = t.mul(t.mean(logarithms, { axis: -1 }), -labelSmoothing)
    // None of what is infinite: 0 times that is NaN.
    return labelSmoothing === 1 ? even : t.add(t.mul(own(), 1 - labelSmoothing), even)
  }
  return labelsLoss(name, { reduction, classWeights }, ofLabels, 'crossEntropy')
}

// 0 - x and not -x: a loss of nothing is 0, not -0.
function ofProbabilities(prediction: t.Tensor, labels: t.Tensor): t.Tensor {
  const chosen = t.oneHot(labels, prediction.shape[prediction.rank - 1]!)
  return t.sub(0, t.log(t.sum(t.where(chosen, prediction, 0), { axis: -1 })))
}
