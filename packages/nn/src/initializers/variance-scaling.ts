import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'
import {
  type Distribution,
  type FanMode,
  normalNumbers,
  scaled,
  truncatedNormalNumbers,
  uniformNumbers,
} from './scaled.ts'

const modes: readonly FanMode[] = ['fanIn', 'fanOut', 'fanAverage']

const distributions: Readonly<Record<'truncatedNormal' | 'normal' | 'uniform', Distribution>> = {
  truncatedNormal: truncatedNormalNumbers,
  normal: normalNumbers,
  uniform: uniformNumbers,
}

/** Which variance, and how it is spread. */
export interface VarianceScalingOptions {
  /** The variance times the fan; 1 by default. */
  readonly scale?: number
  /** What the variance is divided by: `'fanIn'` (default), `'fanOut'`, or `'fanAverage'`, which is (fanIn + fanOut) / 2. */
  readonly mode?: FanMode
  /** `'truncatedNormal'` (default), `'normal'` or `'uniform'`. */
  readonly distribution?: keyof typeof distributions
}

/**
 * An initialiser of mean 0 and variance scale / fan, whichever the distribution:
 *
 * | distribution | numbers |
 * | --- | --- |
 * | `truncatedNormal` | normal without those beyond two of its standard deviations: none above 2.274 sqrt(scale / fan) |
 * | `normal` | normal |
 * | `uniform` | spread evenly over [-limit, limit), limit = sqrt(3 scale / fan) |
 *
 * The named ones are cases of it: He has scale 2 and `fanIn`, Glorot scale 1 and `fanAverage`, LeCun scale 1 and `fanIn`.
 *
 * @param options.scale 1 by default
 * @param options.mode `'fanIn'` by default
 * @param options.distribution `'truncatedNormal'` by default
 * @throws RangeError when the scale is no finite number above 0, for an unknown name, and in a call where the fan is not above 0
 * @example
 * const weight = varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'uniform' })
 * weight(t.key(1), [2, 6], 2, 6).toFloat32Array().every((w) => Math.abs(w) <= 1) // => true
 */
export function varianceScaling(options: VarianceScalingOptions = {}): Initializer {
  const {
    scale = 1,
    mode = 'fanIn',
    distribution = 'truncatedNormal',
  } = t.knownOptions('varianceScaling', options, 'scale mode distribution')
  if (!(scale > 0 && Number.isFinite(scale)))
    t.failRange('varianceScaling', `scale must be a finite number above 0, got ${scale}`)
  checkName('mode', modes, mode)
  checkName('distribution', Object.keys(distributions), distribution)
  return (key, shape, fanIn, fanOut) =>
    scaled('varianceScaling', distributions[distribution], [scale, mode], key, shape, [fanIn, fanOut])
}

function checkName(what: string, names: readonly string[], name: string): void {
  if (names.includes(name)) return
  t.failRange('varianceScaling', `unknown ${what} '${String(name)}'`, `use ${names.join(', ')}`)
}
