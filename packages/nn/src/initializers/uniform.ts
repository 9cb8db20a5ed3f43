import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'

/** Where numbers are drawn from. */
export interface UniformOptions {
  /** -0.05 by default. */
  readonly low?: number
  /** 0.05 by default. */
  readonly high?: number
}

/**
 * An initialiser that draws numbers spread evenly over [low, high), whatever the sizes of the layer: variance
 * (high - low)² / 12. For variances that follow the sizes see `varianceScaling`.
 *
 * @param options.low -0.05 by default, like Keras
 * @param options.high 0.05 by default
 * @throws RangeError when low is not below high, or one is not finite
 * @example
 * uniform({ low: 2, high: 3 })(t.key(1), [10], 2, 2).toFloat32Array().every((w) => w >= 2 && w < 3) // => true
 */
export function uniform(options: UniformOptions = {}): Initializer {
  const { low = -0.05, high = 0.05 } = t.knownOptions('uniform', options, 'low high')
  if (!(low < high && Number.isFinite(low) && Number.isFinite(high))) {
    t.failRange('uniform', `low must be below high and both finite, got low ${low} and high ${high}`)
  }
  return (key, shape) => t.uniform(key, shape, low, high)
}
