import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'
import { checkDeviation, type NormalOptions } from './normal.ts'

/**
 * An initialiser that draws normal numbers without those beyond two standard deviations of the mean, whatever the sizes
 * of the layer: what is refused is drawn again, so the rest keeps its form.
 *
 * The standard deviation is that of the normal distribution before it is cut, as in `t.truncatedNormal`, Keras and PyTorch;
 * that of what comes out is 0.8796 times as large. `varianceScaling` makes up for it.
 *
 * @param options.mean 0 by default
 * @param options.standardDeviation 0.05 by default, like Keras
 * @throws RangeError when one is not finite or the standard deviation is negative
 * @example
 * const weight = truncatedNormal({ standardDeviation: 0.5 })(t.key(1), [10, 10], 10, 10)
 * weight.toFloat32Array().every((w) => Math.abs(w) <= 1) // => true
 */
export function truncatedNormal(options: NormalOptions = {}): Initializer {
  t.knownOptions('truncatedNormal', options, 'mean standardDeviation')
  const { mean, standardDeviation } = checkDeviation('truncatedNormal', options)
  return (key, shape) => t.truncatedNormal(key, shape, mean, standardDeviation)
}
