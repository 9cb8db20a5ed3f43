import { type MeanState, meanError } from './mean-error.ts'
import type { Metric } from './metric.ts'

/**
 * The mean of |prediction - target| over all elements: sum of w |e| / sum of w, summed up in double precision.
 *
 * @returns a metric over predictions `[rows, …]` and targets of the same shape; weights `[rows]`, 1 where they are left out
 * @throws RangeError when the shapes differ, also where they would broadcast
 * @example
 * measure(meanAbsoluteError(), t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])) // => 1.5
 */
export function meanAbsoluteError(): Metric<MeanState> {
  return meanError('meanAbsoluteError', Math.abs)
}
