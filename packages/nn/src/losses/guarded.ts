import * as t from '@tapeflow/autodiff'

/** The smallest float32 above 0 that is not rounded to it by any kernel. */
export const smallestNormal: number = 1.1754943508222875e-38

/** The largest float32 below 1. */
export const belowOne: number = 1 - 2 ** -24

/**
 * The prediction, between `low` and `high` where the weight is 0: the slope of a loss may be infinite beyond, and times the
 * weight 0 that is NaN. Where the weight is another one, the prediction as it is.
 *
 * @param weights of as many axes as the prediction, or as many as it begins with
 */
export function guarded(prediction: t.Tensor, weights: t.Tensor, low: number, high: number): t.Tensor {
  const missing = prediction.shape.slice(weights.rank).map(() => 1)
  const counts = t.reshape(weights, [...weights.shape, ...missing])
  return t.where(counts, prediction, t.clip(prediction, low, high))
}
