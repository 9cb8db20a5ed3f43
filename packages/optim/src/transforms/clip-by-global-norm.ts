import { div, maximum, mul } from '@tapeflow/autodiff'
import { globalNorm } from '../global-norm.ts'
import { positive } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Scales all updates by one factor where their length, over all leaves together, is above a bound: u · bound / max(‖u‖, bound).
 * The direction stays. Updates that are not finite stay so: `applyIfFinite` leaves such steps out.
 *
 * @param maxNorm the bound, above 0
 * @returns a link of a `chain` with the hyperparameter `maxNorm`
 * @throws RangeError where the bound is out of range; TypeError where it is no number
 * @example
 * const clip = clipByGlobalNorm(1)
 * const updates = { a: t.tensor([3]), b: t.tensor([4]) }
 * const clipped = clip.update(updates, {}, updates, clip.hyper(0)).updates
 * ;[clipped.a.item().toFixed(3), clipped.b.item().toFixed(3)] // => ['0.600', '0.800']
 *
 * Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks.
 */
export function clipByGlobalNorm(maxNorm: number): Transform<never> {
  return directing<never, 'maxNorm'>({
    name: 'clipByGlobalNorm',
    slots: [],
    values: { maxNorm },
    ranges: { maxNorm: positive },
    leaf: (number, updates) => {
      const bound = number('maxNorm')
      const factor = div(bound, maximum(globalNorm(updates), bound))
      return (_, u) => [mul(u, factor)]
    },
  })
}
