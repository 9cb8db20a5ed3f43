import { knownOptions } from '@tapeflow/autodiff'
import type { ThresholdOptions } from './binary-rows.ts'
import { averagedRate, ratio } from './class-rate.ts'
import type { ConfusionState } from './confusion.ts'
import type { Metric } from './metric.ts'

/**
 * The mean over classes of intersection over union: right / (predicted + all of the class - right), the Jaccard index. The
 * mean is over the classes that occur, in targets or predictions, as in Keras.
 *
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a metric over predictions `[rows, …, classes]`, such as an image's pixels, and labels `[rows, …]`, or of one number
 * each, `[rows]` or `[rows, …, 1]`, for two classes; weights `[rows]` or `[rows, …]`
 * @throws RangeError when shapes do not fit or a label is out of range: names it and its row
 * @example
 * measure(meanIoU(), t.tensor([0, 1, 0, 1]), t.tensor([0, 0, 1, 1])) // => 1 / 3
 */
export function meanIoU(options: ThresholdOptions = {}): Metric<ConfusionState> {
  const { threshold = 0.5 } = knownOptions('meanIoU', options, 'threshold')
  return {
    ...averagedRate('meanIoU', ({ right, predicted, support }) => ratio(right, predicted + support - right), {
      threshold,
      average: 'macro',
    }),
    name: 'meanIoU',
  }
}
