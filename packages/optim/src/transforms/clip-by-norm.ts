import { div, maximum, mul, norm } from '@tapeflow/autodiff'
import { positive } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Scales each tensor of the updates on its own where its length is above a bound: u · bound / max(‖u‖, bound). A tensor's direction
 * stays; that of the whole tree does not where some are clipped: that is `clipByGlobalNorm`. Keras calls this one `clipnorm`;
 * PyTorch's `clip_grad_norm_` is the global one. Updates that are not finite stay so: `applyIfFinite` leaves such steps out.
 *
 * @param maxNorm the bound, above 0
 * @returns a link of a `chain` with the hyperparameter `maxNorm`
 * @throws RangeError where the bound is out of range; TypeError where it is no number
 * @example
 * const link = clipByNorm(5)
 * const updates = { a: t.tensor([6, 8]), b: t.tensor([3, 4]) }
 * const clipped = link.update(updates, {}, updates, link.hyper(0)).updates
 * ;[clipped.a.toArray(), clipped.b.toArray()] // => [[3, 4], [3, 4]]
 */
export function clipByNorm(maxNorm: number): Transform<never> {
  return directing<never, 'maxNorm'>({
    name: 'clipByNorm',
    slots: [],
    values: { maxNorm },
    ranges: { maxNorm: positive },
    leaf: (number) => {
      const bound = number('maxNorm')
      return (_, u) => [mul(u, div(bound, maximum(norm(u), bound)))]
    },
  })
}
