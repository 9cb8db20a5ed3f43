import { failRange, knownOptions } from '@tapeflow/autodiff'
import { type AccuracyState, countRight, share } from './accuracy-state.ts'
import { classRows } from './class-rows.ts'
import type { Metric } from './metric.ts'

/** How many guesses a sample has. */
export interface TopKAccuracyOptions {
  /** 5 by default. */
  readonly k?: number
}

/**
 * The share of samples whose true class is among the k largest predictions. Of equal predictions the first count, so k = 1 is
 * `accuracy`; a row with a NaN is wrong. It is reported as `top5Accuracy`, with its k.
 *
 * @param options.k an integer from 1 to the number of classes; 5 by default
 * @returns a metric over predictions and targets as of `accuracy`
 * @throws RangeError when k is no integer from 1 on, or above the number of classes; when shapes do not fit or a label is out
 * of range
 * @example
 * const prediction = t.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
 * measure(topKAccuracy({ k: 2 }), prediction, t.tensor([1, 2])) // => 0.5
 */
export function topKAccuracy(options: TopKAccuracyOptions = {}): Metric<AccuracyState> {
  const { k = 5 } = knownOptions('topKAccuracy', options, 'k')
  if (!(Number.isInteger(k) && k >= 1)) {
    failRange('topKAccuracy', `k must be an integer from 1 on, got ${k}`, 'count guesses')
  }
  return {
    name: `top${k}Accuracy`,
    ...share,
    update: (state, prediction, target, weights) => {
      const { count, classes, scores, truth, weight } = classRows('topKAccuracy', prediction, target, weights)
      if (k > classes) {
        failRange(
          'topKAccuracy',
          `k must be at most the number of classes, got ${k} and ${classes} classes`,
          'pass a smaller k',
        )
      }
      const isRight = (row: number): boolean =>
        placeOf(truth[row]!, scores.subarray(row * classes, (row + 1) * classes)) < k
      return countRight(state, count, isRight, weight)
    },
  }
}

/** How many come before the true class; Infinity where a score is NaN. */
function placeOf(label: number, scores: Float32Array): number {
  const own = scores[label]
  if (own === undefined || scores.some(Number.isNaN)) return Number.POSITIVE_INFINITY
  let before = 0
  for (const [k, score] of scores.entries()) if (score > own || (score === own && k < label)) before++
  return before
}
