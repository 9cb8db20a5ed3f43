import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import type { Loss } from './reduction.ts'

/**
 * The logarithm of the hyperbolic cosine of errors, l = ln cosh(prediction - target): e² / 2 for small errors, |e| - ln 2 for
 * large ones, and smooth between. A sample's loss is the mean over its elements. The gradient is tanh(e).
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, also where they would broadcast; TypeError for a bad option
 * @example
 * logCosh()(t.tensor([1e4]), t.tensor([0])).item() // => Math.fround(1e4 - Math.LN2)
 * logCosh()(t.tensor([0.001]), t.tensor([0])).item().toFixed(9) // => '0.000000500'
 */
export function logCosh(options: ElementLossOptions = {}): Loss {
  t.knownOptions('logCosh', options, 'reduction')
  return elementLoss('logCosh', options, (prediction, target) => {
    const error = t.sub(prediction, target)
    // cosh e = 1 + 2 sinh² (e / 2), which loses nothing near 0; ln(exp(e) + exp(-e)) - ln 2 where that would overflow.
    const half = t.sinh(t.mul(t.clip(error, -2, 2), 0.5))
    const near = t.log1p(t.mul(t.square(half), 2))
    const far = t.sub(t.logAddExp(error, t.neg(error)), Math.LN2)
    return t.where(t.less(t.abs(error), 1), near, far)
  })
}
