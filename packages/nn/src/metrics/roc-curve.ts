import type { Measure } from './metric.ts'
import { cumulated, noScores, ranked, type ScoresState } from './scores.ts'

/** The points of a curve, from the threshold that nothing reaches down to the one that everything does. */
export interface RocCurve {
  /** Infinity, then every score that was predicted. */
  readonly thresholds: readonly number[]
  /** Of class 0, the share whose score is at least the threshold. */
  readonly falsePositiveRate: readonly number[]
  /** Of class 1, the share whose score is at least the threshold. */
  readonly truePositiveRate: readonly number[]
}

/**
 * The receiver operating characteristic: for every threshold the share of class 1 and the share of class 0 that reach it. It
 * runs from (0, 0) to (1, 1); samples of equal scores are one step. It is exact: the state keeps every score that differs from
 * the others, 24 bytes each, and batches of any sizes give the same points.
 *
 * @returns a measure over scores `[rows]` or `[rows, 1]`, logits or probabilities, or of two classes `[rows, 2]`, where a score is the
 * second less the first; and labels 0 and 1 `[rows]`; weights `[rows]`. Rates are NaN where a class has no sample, or a score is NaN
 * @throws RangeError when shapes do not fit or a label is neither 0 nor 1: names it and its row
 * @example
 * const { thresholds, falsePositiveRate, truePositiveRate } = measure(rocCurve(), t.tensor([3, 1, 2, 2]), t.tensor([1, 0, 0, 1]))
 * thresholds // => [Infinity, 3, 2, 1]
 * falsePositiveRate // => [0, 0, 0.5, 1]
 * truePositiveRate // => [0, 0.5, 1, 1]
 */
export function rocCurve(): Measure<ScoresState, RocCurve> {
  return {
    name: 'rocCurve',
    init: noScores,
    update: (state, prediction, target, weights) => ranked('rocCurve', state, prediction, target, weights),
    result: (state) => {
      const { thresholds, truePositives, falsePositives, allPositives, allNegatives } = cumulated(state)
      return {
        thresholds,
        falsePositiveRate: falsePositives.map((above) => above / allNegatives),
        truePositiveRate: truePositives.map((above) => above / allPositives),
      }
    },
  }
}
