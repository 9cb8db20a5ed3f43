import { clip, neg } from '@tapeflow/autodiff'
import { positive } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Bounds every element of the updates: min(max(u, -limit), limit). The direction changes where only some are above the bound;
 * `clipByNorm` and `clipByGlobalNorm` keep it. NaN stays NaN. Keras calls it `clipvalue`, PyTorch `clip_grad_value_`.
 *
 * @param limit the largest magnitude, above 0
 * @returns a link of a `chain` with the hyperparameter `limit`
 * @throws RangeError where the limit is out of range; TypeError where it is no number
 * @example
 * const link = clipByValue(2)
 * const updates = { w: t.tensor([1, -5, Infinity]) }
 * link.update(updates, {}, updates, link.hyper(0)).updates.w.toArray() // => [1, -2, 2]
 */
export function clipByValue(limit: number): Transform<never> {
  return directing<never, 'limit'>({
    name: 'clipByValue',
    slots: [],
    values: { limit },
    ranges: { limit: positive },
    leaf: (number) => {
      const high = number('limit')
      const low = neg(high)
      return (_, u) => [clip(u, low, high)]
    },
  })
}
