import { failRange, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { type BatchSource, checkBatch, isArray } from '../batch.ts'
import { has } from '../check.ts'
import type { DiagnosticEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { shown } from './window.ts'

/** What `covariateShift` takes beside the data. */
export interface CovariateShiftOptions {
  /** How far apart the distributions of a feature may be: the Kolmogorov-Smirnov distance, from 0 to 1; 0.2 by default. */
  readonly threshold?: number
  /** How many rows of each are read at most; 2,000 by default. */
  readonly rows?: number
}

/** How one feature of the validation data differs from that of the training data. */
export interface FeatureShift {
  /** `x.3`: its place in a row. */
  readonly path: string
  /**
   * The difference of the means, validation less training, in standard deviations (the root of the mean of both variances); NaN where a
   * value is no finite number, infinite where two constants differ.
   */
  readonly meanDifference: number
  /** The Kolmogorov-Smirnov distance: the largest difference of the shares of rows below any one value. A NaN is below none. */
  readonly distance: number
}

/** What `covariateShift` found. */
export interface CovariateShift {
  /** One for each feature. */
  readonly features: readonly FeatureShift[]
  /** One for each that differs by too much, the worst first. */
  readonly diagnostics: readonly DiagnosticEvent[]
}

/**
 * Whether the features of two data sets are distributed alike, to be asked before the first step: a model is judged by its
 * validation data, and should be judged by what it learned from. A feature differs if its distance is above `threshold` and above
 * what equal distributions reach by chance once in a thousand times, whatever the number of features.
 *
 *     D = max |share of training values <= v  -  share of validation values <= v|      over all v
 *
 * @param training batches, as `fit` takes them; the first rows are read
 * @param validation batches of rows of the same size
 * @throws RangeError for options out of range and rows of different sizes; errors of the data
 * @example
 * const column = (from) => ({ shape: [100, 1], values: Float32Array.from({ length: 100 }, (_, i) => from + i) })
 * const data = (from) => dataset({ x: column(from), y: column(0) }).batch(10)
 * const { features } = await covariateShift(data(0), data(50))
 * features.map(({ path, distance }) => [path, distance]) // => [['x.0', 0.5]]
 *
 * Shimodaira 2000, Improving predictive inference under covariate shift; Massey 1951 for the test.
 */
export async function covariateShift(
  training: BatchSource,
  validation: BatchSource,
  options: CovariateShiftOptions = {},
): Promise<CovariateShift> {
  const { threshold = 0.2, rows = 2000 } = knownOptions('covariateShift', options, 'threshold rows')
  requireNumbers('covariateShift', { threshold }, 1)
  requireCounts('covariateShift', { rows }, 2)
  for (const [name, source] of Object.entries({ training, validation })) {
    if (!has(source, 'iterate'))
      failType('covariateShift', `${name} must be a dataset, got ${kindOf(source)}`)
  }
  const before = await columns(training, rows, 'training')
  const after = await columns(validation, rows, 'validation')
  if (before.length !== after.length) {
    failRange(
      'covariateShift',
      `rows must be of one size, got ${before.length} features in training and ${after.length} in validation`,
    )
  }
  const features = before.map((values, i) => ({
    path: `x.${i}`,
    meanDifference: meanDifference(values, after[i]!),
    distance: distance(values, after[i]!),
  }))
  const limit = Math.max(threshold, byChance(before[0]!.length, after[0]!.length, features.length))
  const diagnostics = features
    .flatMap((feature, i) => (feature.distance > limit ? [told(feature, limit, before[i]!, after[i]!)] : []))
    .sort((a, b) => b.value - a.value)
  return { features, diagnostics }
}

function told(
  { path, distance, meanDifference }: FeatureShift,
  threshold: number,
  before: Float32Array,
  after: Float32Array,
): DiagnosticEvent {
  const [was, is] = [shareMissing(before), shareMissing(after)]
  const mean = Number.isFinite(meanDifference)
    ? `its mean by ${shown(meanDifference)} deviations`
    : 'a constant in both'
  const advice =
    was > 0 || is > 0
      ? `${path} is no finite number in ${shown(100 * is)} % of the validation rows and ${shown(100 * was)} % of those for training: try to fill such values, or to leave such rows out, in both alike.`
      : `${path} is distributed otherwise in validation, ${mean}: try to split after shuffling, the same preprocessing for both, or weights for the training rows.`
  return {
    type: 'diagnostic',
    name: 'covariateShift',
    step: 0,
    epoch: 0,
    path,
    value: distance,
    threshold,
    advice,
  }
}

function shareMissing(values: Float32Array): number {
  return values.filter((value) => !Number.isFinite(value)).length / values.length
}

/** The sorted values of each feature. */
async function columns(source: BatchSource, rows: number, what: string): Promise<readonly Float32Array[]> {
  const pull = source.iterate(0)
  const batches: { readonly values: Float32Array; readonly rows: number }[] = []
  let left = rows
  while (left > 0) {
    const pulled = await pull.next()
    if (pulled.done) break
    checkBatch(pulled.value)
    const { x } = pulled.value
    if (!isArray(x))
      failRange('covariateShift', `the ${what} data has several inputs`, 'map it to one of them')
    const { shape, values } = x
    const taken = Math.min(left, shape[0]!)
    batches.push({ values: values.slice(0, taken * (values.length / shape[0]!)), rows: taken })
    left -= taken
  }
  await pull.return?.()
  if (batches.length === 0) failRange('covariateShift', `the ${what} data gave no batch`)
  const width = batches[0]!.values.length / batches[0]!.rows
  return Array.from({ length: width }, (_, feature) => {
    const column: number[] = []
    for (const { values } of batches) {
      for (let i = feature; i < values.length; i += width) column.push(values[i]!)
    }
    return Float32Array.from(column).sort()
  })
}

function meanDifference(before: Float32Array, after: Float32Array): number {
  const [a, b] = [moments(before), moments(after)]
  const difference = b.mean - a.mean
  return difference === 0 ? 0 : difference / Math.sqrt((a.variance + b.variance) / 2)
}

function moments(values: Float32Array): { readonly mean: number; readonly variance: number } {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return { mean, variance: squares / values.length }
}

function distance(before: Float32Array, after: Float32Array): number {
  // A NaN, which is sorted last, is below nothing.
  const numbers = (values: Float32Array): Float32Array => values.filter((value) => !Number.isNaN(value))
  const [was, is] = [numbers(before), numbers(after)]
  let [i, j, largest] = [0, 0, 0]
  while (i < was.length || j < is.length) {
    const value = Math.min(was[i] ?? Number.POSITIVE_INFINITY, is[j] ?? Number.POSITIVE_INFINITY)
    while (i < was.length && was[i]! <= value) i++
    while (j < is.length && is[j]! <= value) j++
    largest = Math.max(largest, Math.abs(i / before.length - j / after.length))
  }
  return largest
}

/** What the distance of samples of one distribution passes once in a thousand times, over all features. */
function byChance(before: number, after: number, features: number): number {
  const level = 0.001 / features
  return Math.sqrt((-Math.log(level / 2) / 2) * ((before + after) / (before * after)))
}
