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

/** right / predicted */
export function precisionOf({ right, predicted }: Tally): number {
  return ratio(right, predicted)
}

/**
 * Of what is predicted to be of a class, the share that is: right / predicted. Where nothing is predicted to be, it is 0, as in
 * scikit-learn.
 *
 * @param options.average `'binary'` (default): of class 1, of two. `'macro'`, `'micro'`, `'weighted'`: over all classes, see
 * `Average`. `'none'`: of each, and what comes out is an array
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a metric over predictions `[rows]`, `[rows, 1]` or `[rows, classes]` and labels `[rows]`, or rows of probabilities,
 * where the largest names the class; weights `[rows]`. It is reported as `precision`, `macroPrecision` and so on. A prediction with a
 * NaN is of no class
 * @throws RangeError when shapes do not fit, a label is out of range, or the average is `'binary'` of more than two classes
 * @example
 * measure(precision(), t.tensor([0.9, 0.8, 0.2]), t.tensor([1, 0, 1])) // => 0.5
 * const [prediction, target] = [t.tensor([[3, 0, 0], [2, 1, 0], [0, 0, 1]]), t.tensor([0, 1, 2])]
 * measure(precision({ average: 'none' }), prediction, target) // => [0.5, 0, 1]
 * measure(precision({ average: 'macro' }), prediction, target) // => 0.5
 */
export function precision(options?: ClassRateOptions): Metric<ConfusionState>
export function precision(options: EachClassOptions): Measure<ConfusionState, readonly number[]>
export function precision(
  options: ClassRateOptions | EachClassOptions = {},
): Measure<ConfusionState, number | readonly number[]> {
  knownOptions('precision', options, 'average threshold')
  if (options.average === 'none') return rateOfEach('precision', precisionOf, options)
  return averagedRate('precision', precisionOf, options)
}
