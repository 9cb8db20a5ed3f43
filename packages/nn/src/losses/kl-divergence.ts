import * as t from '@tapeflow/autodiff'
import { rowsLoss } from './class-loss.ts'
import { finiteLog, given } from './cross-entropy-of-rows.ts'
import { checkFrom, type From } from './from.ts'
import type { Loss, Reduction } from './reduction.ts'

/** What predictions are, how samples count, and what becomes of their losses. */
export interface KlDivergenceOptions {
  /** Whether predictions are any numbers (the default, and the accurate way) or probabilities that add up to 1. */
  readonly from?: From
  /** `'mean'` by default. */
  readonly reduction?: Reduction
  /** How much each class counts in the weight of a row; all alike by default. */
  readonly classWeights?: readonly number[]
}

const largest = 3.4028234663852886e38

/**
 * How far a distribution is from the target's: the Kullback-Leibler divergence l = sum over k of target_k ln(target_k / p_k), with
 * p = softmax(prediction) from logits. 0 where they are the same; it is the cross-entropy less the target's own entropy, and has
 * its gradient.
 *
 * Where the target is 0 a class adds nothing, whatever its probability; where only the prediction is 0 the loss is infinite.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights a number c for each class: a row's weight w is multiplied by sum over k of target_k c_k
 * @returns (prediction `[rows, …, classes]`, target of the same shape, weights? `[rows]` or `[rows, …]`) -> a scalar,
 * `[rows, …]` for `'none'`
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option, and for a prediction from
 * logits that is recorded and comes from a softmax
 * @example
 * const loss = klDivergence({ from: 'probabilities', reduction: 'none' })
 * loss(t.tensor([[0.5, 0.5], [0.5, 0.5]]), t.tensor([[0.5, 0.5], [1, 0]])).toArray() // => [0, Math.fround(Math.LN2)]
 *
 * Kullback & Leibler: On information and sufficiency (1951)
 */
export function klDivergence(options: KlDivergenceOptions = {}): Loss {
  const name = 'klDivergence'
  const {
    from = 'logits',
    reduction = 'mean',
    classWeights,
  } = t.knownOptions(name, options, 'from reduction classWeights')
  checkFrom(name, from)
  return rowsLoss(name, { reduction, classWeights }, (prediction, target, weights) => {
    const x = given(name, prediction, weights, from)
    const wanted = t.log(t.where(target, target, 1))
    const found = from === 'logits' ? finiteLogSoftmax(x, target) : finiteLog(x, target)
    return t.sum(t.mul(target, t.sub(wanted, found)), { axis: -1 })
  })
}

/** ln softmax, finite where the target is 0. */
export function finiteLogSoftmax(logits: t.Tensor, target: t.Tensor): t.Tensor {
  const logarithms = t.logSoftmax(logits)
  return t.where(target, logarithms, t.maximum(logarithms, -largest))
}
