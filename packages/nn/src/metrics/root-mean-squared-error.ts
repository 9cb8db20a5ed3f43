import { type MeanState, meanError } from './mean-error.ts'
import type { Metric } from './metric.ts'

/**
 * The root of the mean of (prediction - target)² over all elements, in the unit of the target. Of several outputs it is one root, as
 * in Keras; scikit-learn takes the mean of the roots of each.
 *
 * @returns a metric over predictions `[rows, …]` and targets of the same shape; weights `[rows]`, 1 where they are left out
 * @throws RangeError when the shapes differ, also where they would broadcast
 * @example
 * measure(rootMeanSquaredError(), t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])) // => Math.sqrt(5)
 */
export function rootMeanSquaredError(): Metric<MeanState> {
  return meanError('rootMeanSquaredError', (error) => error * error, Math.sqrt)
}
