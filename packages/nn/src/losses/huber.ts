import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import type { Loss } from './reduction.ts'

/** From which error on the loss is linear, and what becomes of the samples' losses. */
export interface HuberOptions extends ElementLossOptions {
  /** 1 by default. */
  readonly delta?: number
}

/**
 * Huber's loss: squared for small errors, linear for large ones. Of an error e it is e² / 2 where |e| <= delta, and
 * delta (|e| - delta / 2) beyond; a sample's loss is the mean over its elements.
 *
 * The gradient is the error, clipped to delta: an outlier pulls no harder than an error of delta does.
 *
 * @param options.delta above 0; 1 by default
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, or delta is not above 0; TypeError for a bad option
 * @example
 * huber({ reduction: 'none' })(t.tensor([0.5, -3]), t.tensor([0, 0])).toArray() // => [0.125, 2.5]
 *
 * Huber: Robust estimation of a location parameter (1964)
 */
export function huber(options: HuberOptions = {}): Loss {
  const { delta = 1 } = t.knownOptions('huber', options, 'delta reduction')
  if (!(delta > 0 && delta < Number.POSITIVE_INFINITY))
    t.failRange('huber', `delta must be finite and above 0, got ${String(delta)}`)
  return elementLoss('huber', options, (prediction, target) => {
    const error = t.sub(prediction, target)
    const clipped = t.clip(error, -delta, delta)
    return t.mul(clipped, t.sub(error, t.mul(clipped, 0.5)))
  })
}
