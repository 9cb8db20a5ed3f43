import * as t from '@tapeflow/autodiff'

/** The smallest float32 above 0 that is not rounded to it by any kernel. */
export const smallestNormal: number = 1.1754943508222875e-38

/**
 * The prediction, made finite where the weight is 0: the slope of a loss may be infinite at it, and times the weight 0 that is
 * NaN. Where the weight is another one, the prediction as it is.
 *
 * @param weights of as many axes as the prediction, or as many as it begins with
 * @param within to where the slope is finite
 */
export function guarded(
  prediction: t.Tensor,
  weights: t.Tensor,
  within: (prediction: t.Tensor) => t.Tensor,
): t.Tensor {
  const missing = prediction.shape.slice(weights.rank).map(() => 1)
  const counts = t.reshape(weights, [...weights.shape, ...missing])
  return t.where(counts, prediction, within(prediction))
}

/** A probability or rate of which there is a logarithm. */
export function aboveZero(p: t.Tensor): t.Tensor {
  return t.maximum(p, smallestNormal)
}

/** A probability of which the complement has a logarithm. */
export function belowOne(p: t.Tensor): t.Tensor {
  return t.minimum(p, 1 - 2 ** -24)
}

/** A probability that is neither 0 nor 1. */
export function inside(p: t.Tensor): t.Tensor {
  return belowOne(aboveZero(p))
}

/** A number whose square is finite, and that of its difference from a target. */
export function withFiniteSquare(x: t.Tensor): t.Tensor {
  return t.clip(x, -1e19, 1e19)
}
