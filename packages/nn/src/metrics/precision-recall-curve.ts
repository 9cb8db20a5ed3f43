import type { Measure } from './metric.ts'
import { cumulated, noScores, ranked, type ScoresState } from './scores.ts'

/** The points of a curve, from the threshold that nothing reaches down to the one that everything does. */
export interface PrecisionRecallCurve {
  /** Infinity, then every score that was predicted. */
  readonly thresholds: readonly number[]
  /** Of those whose score is at least the threshold, the share that is of class 1; 1 where there are none. */
  readonly precision: readonly number[]
  /** Of class 1, the share whose score is at least the threshold. */
  readonly recall: readonly number[]
}

/**
 * Precision and recall for every threshold. It begins at precision 1 and recall 0, where nothing is predicted to be of class
 * 1; scikit-learn lists the same points the other way round. It is exact: the state keeps every score that differs from the
 * others, 24 bytes each, and batches of any sizes give the same points.
 *
 * @returns a measure over scores and labels as of `rocCurve`. Rates are NaN where class 1 has no sample, or a score is NaN
 * @throws RangeError when shapes do not fit or a label is neither 0 nor 1: names it and its row
 * @example
 * const curve = measure(precisionRecallCurve(), t.tensor([4, 1, 3, 2]), t.tensor([1, 0, 0, 1]))
 * curve.precision // => [1, 1, 1 / 2, 2 / 3, 1 / 2]
 * curve.recall // => [0, 0.5, 0.5, 1, 1]
 * curve.thresholds // => [Infinity, 4, 3, 2, 1]
 */
export function precisionRecallCurve(): Measure<ScoresState, PrecisionRecallCurve> {
  return {
    name: 'precisionRecallCurve',
    init: noScores,
    update: (state, prediction, target, weights) =>
      ranked('precisionRecallCurve', state, prediction, target, weights),
    result: (state) => {
      const { thresholds, truePositives, falsePositives, allPositives } = cumulated(state)
      const recall = truePositives.map((above) => above / allPositives)
      const precision = truePositives.map((above, i) => {
        if (Number.isNaN(recall[i]!)) return Number.NaN
        return i === 0 ? 1 : above / (above + falsePositives[i]!)
      })
      return { thresholds, precision, recall }
    },
  }
}
