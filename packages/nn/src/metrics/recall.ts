import { knownOptions } from '@tapeflow/autodiff'
import {
  averagedRate,
  type ClassRateOptions,
  type EachClassOptions,
  rateOfEach,
  ratio,
} from './class-rate.ts'
import type { ConfusionState, Tally } from './confusion.ts'
import type { Measure, Metric } from './metric.ts'

/** right / all of the class */
export function recallOf({ right, support }: Tally): number {
  return ratio(right, support)
}

/**
 * Of what is of a class, the share that is predicted to be: right / all of it. Also named sensitivity. Where nothing is of the
 * class, it is 0, as in scikit-learn.
 *
 * @param options.average `'binary'` (default): of class 1, of two. `'macro'`, `'micro'`, `'weighted'`: over all classes, see
 * `Average`. `'none'`: of each, and what comes out is an array
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a metric over predictions `[rows]`, `[rows, 1]` or `[rows, classes]` and labels `[rows]`, or rows of probabilities,
 * where the largest names the class; weights `[rows]`. It is reported as `recall`, `macroRecall` and so on. A prediction with a
 * NaN is of no class
 * @throws RangeError when shapes do not fit, a label is out of range, or the average is `'binary'` of more than two classes
 * @example
 * measure(recall(), t.tensor([0.9, 0.8, 0.2]), t.tensor([1, 1, 1])) // => 2 / 3
 * const [prediction, target] = [t.tensor([[3, 0, 0], [2, 1, 0], [0, 0, 1]]), t.tensor([0, 1, 2])]
 * measure(recall({ average: 'none' }), prediction, target) // => [1, 0, 1]
 */
export function recall(options?: ClassRateOptions): Metric<ConfusionState>
export function recall(options: EachClassOptions): Measure<ConfusionState, readonly number[]>
export function recall(
  options: ClassRateOptions | EachClassOptions = {},
): Measure<ConfusionState, number | readonly number[]> {
  knownOptions('recall', options, 'average threshold')
  if (options.average === 'none') return rateOfEach('recall', recallOf, options)
  return averagedRate('recall', recallOf, options)
}
