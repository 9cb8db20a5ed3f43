import { failRange, showShape } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { type AccuracyState, countLargest, share } from './accuracy-state.ts'
import type { Metric } from './metric.ts'

/**
 * The share of samples whose largest prediction is that of their label: what Keras names sparse categorical accuracy. It
 * takes labels only; `accuracy` is the same for labels and for rows of probabilities.
 *
 * @returns a metric over predictions `[rows, …, classes]` and labels `[rows, …]`; weights `[rows]`
 * @throws RangeError when the target has rows of classes, shapes do not fit, or a label is out of range: names it and its row
 * @example
 * measure(sparseAccuracy(), t.tensor([[0.9, 0.1], [0.2, 0.8]]), t.tensor([0, 0])) // => 0.5
 */
export function sparseAccuracy(): Metric<AccuracyState> {
  return {
    name: 'sparseAccuracy',
    ...share,
    update: (state, prediction, target, weights) => {
      checkTensor('sparseAccuracy', 'prediction', prediction)
      checkTensor('sparseAccuracy', 'target', target)
      const wanted = prediction.shape.slice(0, -1)
      if (target.rank !== wanted.length) {
        failRange(
          'sparseAccuracy',
          `the target must be labels ${showShape(wanted)}, got ${showShape(target.shape)}`,
          'use accuracy for rows of probabilities',
        )
      }
      return countLargest('sparseAccuracy', state, prediction, target, weights)
    },
  }
}
