import { isNaN as nans, where } from '@tapeflow/autodiff'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Puts 0 in the place of every NaN of the updates; all else passes through as it is, infinities too: with `clipByValue` behind it
 * those become the limit. A NaN mostly has a cause worth finding (`t.debug` names the operation); `applyIfFinite` leaves out the
 * whole step instead.
 *
 * @returns a link of a `chain`, with nothing to set
 * @example
 * const link = zeroNaNs()
 * const updates = { w: t.tensor([1, NaN, -Infinity]) }
 * link.update(updates, {}, updates, link.hyper(0)).updates.w.toArray() // => [1, 0, -Infinity]
 */
export function zeroNaNs(): Transform<never> {
  return directing<never, never>({
    name: 'zeroNaNs',
    slots: [],
    values: {},
    ranges: {},
    leaf: () => (_, u) => [where(nans(u), 0, u)],
  })
}
