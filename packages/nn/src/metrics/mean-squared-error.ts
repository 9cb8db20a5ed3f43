import { type MeanState, meanError } from './mean-error.ts'
import type { Metric } from './metric.ts'

/**
 * The mean of (prediction - target)² over all elements: sum of w e² / sum of w, summed up in double precision.
 *
 * @returns a metric over predictions `[rows, …]` and targets of the same shape; weights `[rows]`, 1 where they are left out
 * @throws RangeError when the shapes differ, also where they would broadcast
 * @example
 * measure(meanSquaredError(), t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])) // => 5
 */
export function meanSquaredError(): Metric<MeanState> {
  return meanError('meanSquaredError', (error) => error * error)
}
