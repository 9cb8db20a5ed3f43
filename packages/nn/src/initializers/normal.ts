import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'

/** Which normal distribution. */
export interface NormalOptions {
  /** 0 by default. */
  readonly mean?: number
  /** 0.05 by default. */
  readonly standardDeviation?: number
}

/**
 * An initialiser that draws normal numbers, whatever the sizes of the layer. For variances that follow them see
 * `varianceScaling`.
 *
 * @param options.mean 0 by default
 * @param options.standardDeviation 0.05 by default, like Keras
 * @throws RangeError when one is not finite or the standard deviation is negative
 * @example
 * normal({ mean: 3, standardDeviation: 0 })(t.key(1), [2], 2, 2).toArray() // => [3, 3]
 */
export function normal(options: NormalOptions = {}): Initializer {
  t.knownOptions('normal', options, 'mean standardDeviation')
  const { mean, standardDeviation } = checkDeviation('normal', options)
  return (key, shape) => t.normal(key, shape, mean, standardDeviation)
}

/** Checks mean and standard deviation. */
export function checkDeviation(
  operation: string,
  { mean = 0, standardDeviation = 0.05 }: NormalOptions,
): Required<NormalOptions> {
  if (!Number.isFinite(mean)) t.failRange(operation, `mean must be a finite number, got ${mean}`)
  if (!(standardDeviation >= 0 && Number.isFinite(standardDeviation))) {
    t.failRange(operation, `standardDeviation must be a finite number from 0 on, got ${standardDeviation}`)
  }
  return { mean, standardDeviation }
}
