import { failRange } from '@tapeflow/autodiff'
import { checkThreshold, type ThresholdOptions } from './binary-rows.ts'
import { type ConfusionState, confused, noConfusion, type Tally, tallies } from './confusion.ts'
import type { Measure, Metric } from './metric.ts'

/**
 * How the numbers of classes become one:
 *
 * | average | number |
 * | --- | --- |
 * | `binary` | that of class 1, where there are two |
 * | `macro` | their mean over the classes that occur, in targets or predictions |
 * | `micro` | of all samples, each class counted as one of two |
 * | `weighted` | their mean, each class weighted by how many samples are of it |
 */
export type Average = 'binary' | 'macro' | 'micro' | 'weighted'

/** Which classes are measured. */
export interface ClassRateOptions extends ThresholdOptions {
  /** `'binary'` by default. */
  readonly average?: Average
}

/** Every class is measured by itself. */
export interface EachClassOptions extends ThresholdOptions {
  readonly average: 'none'
}

const averages: readonly Average[] = ['binary', 'macro', 'micro', 'weighted']

/** A metric that averages a rate of classes. It is named after both: `f1`, `macroF1`. */
export function averagedRate(
  name: string,
  rate: (tally: Tally) => number,
  options: ClassRateOptions,
): Metric<ConfusionState> {
  const { average = 'binary' } = options
  if (!averages.includes(average)) {
    failRange(name, `unknown average '${String(average)}'`, `use ${averages.join(', ')} or none`)
  }
  const threshold = checkThreshold(name, options.threshold ?? 0.5)
  return {
    name: average === 'binary' ? name : `${average}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    init: noConfusion,
    update: (state, prediction, target, weights) => {
      const next = confused(name, state, prediction, target, weights, threshold)
      if (average === 'binary' && next.classes !== 2) {
        failRange(
          name,
          `the average 'binary' is for 2 classes, got ${next.classes}`,
          "pass average: 'macro', 'micro' or 'weighted', or 'none' for each class",
        )
      }
      return next
    },
    result: (state) => averageOf(tallies(state), average, rate),
  }
}

/** A measure of a rate of each class. */
export function rateOfEach(
  name: string,
  rate: (tally: Tally) => number,
  options: ThresholdOptions,
): Measure<ConfusionState, readonly number[]> {
  const threshold = checkThreshold(name, options.threshold ?? 0.5)
  return {
    name: `${name}OfEach`,
    init: noConfusion,
    update: (state, prediction, target, weights) =>
      confused(name, state, prediction, target, weights, threshold),
    result: (state) => tallies(state).map(rate),
  }
}

/** NaN where no sample was measured. */
export function averageOf(all: readonly Tally[], average: Average, rate: (tally: Tally) => number): number {
  const total = sumOf(all)
  if (total.support === 0) return Number.NaN
  if (average === 'binary') return rate(all[1]!)
  if (average === 'micro') return rate(total)
  const occurring = all.filter(({ predicted, support }) => predicted > 0 || support > 0)
  if (average === 'macro') return occurring.reduce((sum, tally) => sum + rate(tally), 0) / occurring.length
  return occurring.reduce((sum, tally) => sum + tally.support * rate(tally), 0) / total.support
}

function sumOf(all: readonly Tally[]): Tally {
  let [right, predicted, support] = [0, 0, 0]
  for (const tally of all) {
    right += tally.right
    predicted += tally.predicted
    support += tally.support
  }
  return { right, predicted, support }
}

/** part / whole, 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
