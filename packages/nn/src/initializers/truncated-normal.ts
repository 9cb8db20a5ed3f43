import * as t from '@tapeflow/autodiff'

/** The standard deviation of a standard normal variable given that it lies in [-2, 2]: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)). */
const truncatedDeviation = 0.8796256610342398

/**
 * Normal numbers of mean 0 and the given standard deviation, without those beyond two standard deviations of the
 * untruncated distribution: none is larger than 2.2737 times `standardDeviation`. Element i depends on the key and i alone.
 *
 * @param standardDeviation of what comes out: the loss of the tails is made up for, as Keras does
 */
export function truncatedNormal(key: t.Key, shape: t.Shape, standardDeviation: number): t.Tensor {
  return t.truncatedNormal(key, shape, 0, standardDeviation / truncatedDeviation)
}
