import { foldIn, type Key, normalValues, type Shape, sizeOf, type Tensor, tensor } from '@tapeflow/autodiff'

/** The standard deviation of a standard normal variable given that it lies in [-2, 2]: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)). */
const truncatedDeviation = 0.8796256610342398

/**
 * Normal numbers of mean 0 and the given standard deviation, after those beyond two standard deviations of the
 * untruncated distribution have been drawn anew: none is larger than 2.2737 times `standardDeviation`.
 *
 * Element i depends on the key and i alone: what is refused is drawn again from the key's child i, two at a time.
 *
 * @param standardDeviation of what comes out: the loss of the tails is made up for, as Keras does
 */
export function truncatedNormal(key: Key, shape: Shape, standardDeviation: number): Tensor {
  const values = normalValues(key, sizeOf(shape))
  const scale = standardDeviation / truncatedDeviation
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    values[i] = scale * (Math.abs(value) <= 2 ? value : drawAgain(foldIn(key, i)))
  }
  return tensor(values, shape)
}

// One in 22 is refused, so one in 480 comes here a second time.
function drawAgain(key: Key): number {
  for (const value of normalValues(key, 2)) if (Math.abs(value) <= 2) return value
  return drawAgain(foldIn(key, 0))
}
