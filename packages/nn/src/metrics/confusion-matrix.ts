import { knownOptions } from '@tapeflow/autodiff'
import { checkThreshold, type ThresholdOptions } from './binary-rows.ts'
import { type ConfusionState, confused, noConfusion } from './confusion.ts'
import type { Measure } from './metric.ts'

/**
 * How many samples of each class are predicted to be of which: `matrix[truth][prediction]`, sums of weights. The diagonal is
 * what is right. A sample whose prediction has a NaN is in no column.
 *
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a measure over predictions `[rows, classes]` and labels `[rows]`, or rows of probabilities, or of one number each,
 * `[rows]` or `[rows, 1]`, for two classes; weights `[rows]`. Nothing comes out before the first batch: `[]`
 * @throws RangeError when shapes do not fit, a label is out of range, or batches differ in their classes
 * @example
 * const prediction = t.tensor([[1, 0, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]])
 * measure(confusionMatrix(), prediction, t.tensor([0, 1, 2, 2])) // => [[1, 0, 0], [0, 0, 1], [1, 0, 1]]
 */
export function confusionMatrix(
  options: ThresholdOptions = {},
): Measure<ConfusionState, readonly (readonly number[])[]> {
  knownOptions('confusionMatrix', options, 'threshold')
  const threshold = checkThreshold('confusionMatrix', options.threshold ?? 0.5)
  return {
    name: 'confusionMatrix',
    init: noConfusion,
    update: (state, prediction, target, weights) =>
      confused('confusionMatrix', state, prediction, target, weights, threshold),
    result: ({ classes, counts }) =>
      Array.from({ length: classes }, (_, truth) =>
        counts.slice(truth * (classes + 1), truth * (classes + 1) + classes),
      ),
  }
}
