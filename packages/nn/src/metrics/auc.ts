import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { Metric } from './metric.ts'
import { cumulated, noScores, ranked, type ScoresState } from './scores.ts'

/** Which curve. */
export interface AucOptions {
  /** `'roc'` (default) or `'precisionRecall'`. */
  readonly curve?: 'roc' | 'precisionRecall'
}

/**
 * The area under a curve, exact and whatever the threshold.
 *
 * `roc`: the share of pairs of a sample of class 1 and one of class 0 in which the first has the larger score; equal ones are
 * half a pair (Mann-Whitney). 0.5 is chance. Reported as `auc`.
 *
 * `precisionRecall`: the average precision, sum of (recall_i - recall_(i-1)) precision_i over the thresholds, as
 * scikit-learn's; a line drawn between the points would promise too much. Chance is the share of class 1. Reported as
 * `averagePrecision`.
 *
 * @param options.curve `'roc'` by default
 * @returns a metric over scores and labels as of `rocCurve`. The state keeps every score that differs from the others: an update
 * takes time with their number. NaN where a class has no sample (class 1, for `precisionRecall`), or a score is NaN
 * @throws RangeError when shapes do not fit, a label is neither 0 nor 1, or for an unknown curve
 * @example
 * const [scores, labels] = [t.tensor([4, 1, 3, 2]), t.tensor([1, 0, 0, 1])]
 * measure(auc(), scores, labels) // => 0.75
 * measure(auc({ curve: 'precisionRecall' }), scores, labels) // => 1 / 2 + (1 / 2) * (2 / 3)
 *
 * Davis & Goadrich: The relationship between precision-recall and ROC curves (ICML 2006)
 */
export function auc(options: AucOptions = {}): Metric<ScoresState> {
  const { curve = 'roc' } = knownOptions('auc', options, 'curve')
  if (curve !== 'roc' && curve !== 'precisionRecall') {
    failRange('auc', `unknown curve '${String(curve)}'`, 'use roc or precisionRecall')
  }
  return {
    name: curve === 'roc' ? 'auc' : 'averagePrecision',
    init: noScores,
    update: (state, prediction, target, weights) => ranked('auc', state, prediction, target, weights),
    result: curve === 'roc' ? rocArea : averagePrecision,
  }
}

function rocArea(state: ScoresState): number {
  const { truePositives, allPositives, allNegatives } = cumulated(state)
  let pairs = 0
  for (const [i, negative] of state.negatives.entries()) {
    pairs += (negative * (truePositives[i]! + truePositives[i + 1]!)) / 2
  }
  return pairs / (allPositives * allNegatives)
}

function averagePrecision(state: ScoresState): number {
  const { truePositives, falsePositives, allPositives } = cumulated(state)
  let sum = 0
  for (const [i, positive] of state.positives.entries()) {
    const above = truePositives[i + 1]!
    sum += (positive * above) / (above + falsePositives[i + 1]!)
  }
  return sum / allPositives
}
