import { knownOptions } from '@tapeflow/autodiff'
import { type AccuracyState, countRight, share } from './accuracy-state.ts'
import { binaryRows, checkThreshold, classOf, type ThresholdOptions } from './binary-rows.ts'
import type { Metric } from './metric.ts'

/**
 * The share of numbers that are on the right side of a threshold: above it for the label 1, not above it for 0. A NaN is
 * wrong.
 *
 * @param options.threshold 0.5 by default, for probabilities; 0 for logits. A prediction equal to it means 0, as in Keras
 * @returns a metric over predictions `[rows]` or `[rows, 1]` and labels 0 and 1 of either shape; weights `[rows]`. Of
 * predictions `[rows, …]` of several labels each, it is the share of all numbers
 * @throws RangeError when shapes do not fit or a label is neither 0 nor 1: names it and its place
 * @example
 * measure(binaryAccuracy(), t.tensor([0.9, 0.6, 0.5, 0.1]), t.tensor([1, 0, 0, 0])) // => 0.75
 * measure(binaryAccuracy({ threshold: 0 }), t.tensor([[2], [-3]]), t.tensor([1, 0])) // => 1
 */
export function binaryAccuracy(options: ThresholdOptions = {}): Metric<AccuracyState> {
  knownOptions('binaryAccuracy', options, 'threshold')
  const threshold = checkThreshold('binaryAccuracy', options.threshold ?? 0.5)
  return {
    name: 'binaryAccuracy',
    ...share,
    update: (state, prediction, target, weights) => {
      const { scores, truth, weight } = binaryRows('binaryAccuracy', prediction, target, weights)
      const isRight = (i: number): boolean => classOf(scores[i]!, threshold) === truth[i]
      return countRight(state, scores.length, isRight, weight)
    },
  }
}
