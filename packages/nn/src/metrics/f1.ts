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

/** 2 right / (predicted + all of the class) */
export function f1Of({ right, predicted, support }: Tally): number {
  return ratio(2 * right, predicted + support)
}

/**
 * The harmonic mean of precision and recall of a class: 2 right / (predicted + all of it). Where nothing is of the class nor
 * predicted to be, it is 0, as in scikit-learn. The averages are means of it, not of precision and recall first.
 *
 * @param options.average `'binary'` (default): of class 1, of two. `'macro'`, `'micro'`, `'weighted'`: over all classes, see
 * `Average`. `'none'`: of each, and what comes out is an array
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a metric over predictions `[rows]`, `[rows, 1]` or `[rows, classes]` and labels `[rows]`, or rows of probabilities,
 * where the largest names the class; weights `[rows]`. It is reported as `f1`, `macroF1` and so on. A prediction with a
 * NaN is of no class
 * @throws RangeError when shapes do not fit, a label is out of range, or the average is `'binary'` of more than two classes
 * @example
 * measure(f1(), t.tensor([0.9, 0.8, 0.2]), t.tensor([1, 0, 1])) // => 0.5
 * const [prediction, target] = [t.tensor([[3, 0, 0], [2, 1, 0], [0, 0, 1]]), t.tensor([0, 1, 2])]
 * measure(f1({ average: 'none' }), prediction, target) // => [2 / 3, 0, 1]
 */
export function f1(options?: ClassRateOptions): Metric<ConfusionState>
export function f1(options: EachClassOptions): Measure<ConfusionState, readonly number[]>
export function f1(
  options: ClassRateOptions | EachClassOptions = {},
): Measure<ConfusionState, number | readonly number[]> {
  knownOptions('f1', options, 'average threshold')
  if (options.average === 'none') return rateOfEach('f1', f1Of, options)
  return averagedRate('f1', f1Of, options)
}
