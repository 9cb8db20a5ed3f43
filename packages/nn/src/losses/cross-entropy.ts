import * as t from '@tapeflow/autodiff'
import { checkClasses, checkWeights } from '../targets.ts'
import { checkReduction, type Loss, type Reduction, reduceRows } from './reduction.ts'

/** What predictions are, and what becomes of the samples' losses. */
export interface CrossEntropyOptions {
  /** Whether predictions are any numbers (the default, and the accurate way) or probabilities that add up to 1. */
  readonly from?: 'logits' | 'probabilities'
  /** Of the samples' losses: `'mean'` by default. */
  readonly reduction?: Reduction
}

const smallestNormal = 1.1754943508222875e-38

/**
 * A loss for classes: the negative logarithm of the probability that the prediction gives to the target,
 * l = -sum over k of target_k ln p_k, with p = softmax(prediction) from logits; for a label y, l = -ln p_y.
 *
 * From logits it is exact at any size of them, masks of -Infinity included; the gradient is p - target. From probabilities
 * the true class at 0 is an infinite loss, as it should be.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, NaN when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, classes]`, target, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`. The target is
 * labels `[rows]`, integers counted from 0, or a row of probabilities for each `[rows, classes]`, such as one-hot ones
 * @throws RangeError when shapes do not fit or a label is out of range: names it and its row, where the loss is recorded
 * once the program is run; TypeError for a bad option
 * @example
 * const loss = crossEntropy({ from: 'logits' })
 * loss(t.tensor([[1000, 0], [0, 0]]), t.tensor([0, 1])).item() // => Math.fround(Math.LN2 / 2)
 * loss(t.tensor([[1000, 0]]), t.tensor([[0.5, 0.5]])).item() // => 500
 * crossEntropy({ from: 'probabilities' })(t.tensor([[0.25, 0.75]]), t.tensor([0])).item() // => Math.fround(Math.log(4))
 *
 * Bridle: Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { from = 'logits', reduction = 'mean' } = options
  if (from !== 'logits' && from !== 'probabilities') {
    t.failType('crossEntropy', `from must be 'logits' or 'probabilities', got '${String(from)}'`)
  }
  checkReduction('crossEntropy', reduction)
  return (prediction, target, weights) => {
    const labels = checkClasses('crossEntropy', prediction, target)
    checkWeights('crossEntropy', weights, prediction.shape)
    const losses = labels === null ? ofRows : ofLabels
    return t.scope(() => {
      const logits = from === 'logits'
      const given = logits || weights === undefined ? prediction : guarded(prediction, weights)
      return reduceRows(losses(given, target, logits), reduction, weights)
    })
  }
}

// No probability of 0 in a row of weight 0: the slope of its logarithm is infinite, and times 0 that is NaN.
function guarded(prediction: t.Tensor, weights: t.Tensor): t.Tensor {
  return t.where(t.reshape(weights, [weights.size, 1]), prediction, t.maximum(prediction, smallestNormal))
}

// 0 - x and not -x: a loss of nothing is 0, not -0.
function ofLabels(prediction: t.Tensor, labels: t.Tensor, logits: boolean): t.Tensor {
  if (logits) return t.sparseSoftmaxCrossEntropy(prediction, labels)
  const chosen = t.oneHot(labels, prediction.shape[1]!)
  return t.sub(0, t.log(t.sum(t.where(chosen, prediction, 0), { axis: -1 })))
}

// Where the target is 0 a finite logarithm stands in for -Infinity: times 0 it is 0.
function ofRows(prediction: t.Tensor, target: t.Tensor, logits: boolean): t.Tensor {
  if (logits) return t.softmaxCrossEntropy(prediction, target)
  const finite = t.where(target, prediction, t.maximum(prediction, smallestNormal))
  return t.sub(0, t.sum(t.mul(target, t.log(finite)), { axis: -1 }))
}
