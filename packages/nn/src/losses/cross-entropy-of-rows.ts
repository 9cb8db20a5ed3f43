import * as t from '@tapeflow/autodiff'
import { checkLogits, type From } from './from.ts'
import { aboveZero, guarded } from './guarded.ts'
import type { Reduction } from './reduction.ts'

/** What predictions are, how samples count, and what becomes of their losses. */
export interface CrossEntropyOptions {
  /** Whether predictions are any numbers (the default, and the accurate way) or probabilities that add up to 1. */
  readonly from?: From
  /** Of the samples' losses: `'mean'` by default. */
  readonly reduction?: Reduction
  /** How much of each target is spread evenly over all classes; 0 by default. */
  readonly labelSmoothing?: number
  /** How much samples of each class count; all alike by default. */
  readonly classWeights?: readonly number[]
}

/** Predictions as they are, or, from probabilities, with none of 0 in rows of weight 0. */
export function given(
  operation: string,
  prediction: t.Tensor,
  weights: t.Tensor | undefined,
  from: From,
): t.Tensor {
  if (from === 'logits') checkLogits(operation, prediction, ['softmax'])
  if (from === 'logits' || weights === undefined) return prediction
  return guarded(prediction, weights, aboveZero)
}

/** -sum over k of target_k ln p_k for each row, with p smoothed towards equal shares. */
export function crossEntropyOfRows(
  prediction: t.Tensor,
  target: t.Tensor,
  from: From,
  smoothing: number,
): t.Tensor {
  const classes = prediction.shape[prediction.rank - 1]!
  const smooth = smoothing === 0 ? target : t.add(t.mul(target, 1 - smoothing), smoothing / classes)
  if (from === 'logits') return t.softmaxCrossEntropy(prediction, smooth)
  return t.sub(0, t.sum(t.mul(smooth, finiteLog(prediction, smooth)), { axis: -1 }))
}

/** ln p, where the target is 0 a finite number in the place of -Infinity: times 0 it is 0. */
export function finiteLog(probabilities: t.Tensor, target: t.Tensor): t.Tensor {
  return t.log(t.where(target, probabilities, aboveZero(probabilities)))
}
