import { add, div, scope, where } from '@tapeflow/autodiff'
import { checkSettings, settingsAt } from '../hyper.ts'
import { leafwise, zeroSlots } from '../leafwise.ts'
import { positiveCount } from '../range.ts'
import { numbersOf } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Gathers k gradients, and lets what follows take place once, with their mean: k batches of one size do what one batch of all their
 * samples does (up to rounding of sums), where a loss is a mean over samples.
 *
 * At the k - 1 steps between, parameters and the slots of all links behind it stay as they are, and for those, schedules and bias
 * corrections included, k steps count as one. Links before it see every gradient. A NaN in one gradient makes the mean of its k
 * NaN, not those after: `applyIfFinite` goes behind it. Where a link before it holds some of the k steps, their gradients count as
 * 0; where it holds the last one, none of the k is applied. What does not fill k at the end of a run is not applied.
 *
 * Keras calls it `gradient_accumulation_steps`; in PyTorch it is k calls of `backward` (which sum) before one step.
 *
 * @param k how many, from 1 on; not to be overridden
 * @returns a link of a `chain` with the slot `sum`
 * @throws RangeError where k is out of range; TypeError where it is no number
 * @example
 * const optimizer = chain(accumulate(2), descend({ learningRate: 1 }))
 * const one = optimizer.update([t.tensor(1)], optimizer.init([t.tensor(7)]), [t.tensor(7)], optimizer.hyper(0))
 * one.params[0].item() // => 7
 * const two = optimizer.update([t.tensor(3)], one.slots, one.params, optimizer.hyper(1))
 * two.params[0].item() // => 5
 */
export function accumulate(k: number): Transform<'sum'> {
  const operation = 'accumulate'
  const slots = ['sum'] as const
  checkSettings({ operation, values: { k }, ranges: { k: positiveCount } })
  const settings = checkSettings<never>({ operation, values: {}, ranges: {} })
  return {
    name: operation,
    hyperparameters: [],
    init: (params) => zeroSlots(slots, params),
    update: (updates, now, params, hyper) =>
      scope(() => {
        const number = numbersOf(operation, hyper)
        const [isLater, isLast] = [number('isLater'), number('isLast')]
        const made = leafwise(operation, slots, updates, now, params, (_, u, sum) => {
          // Chosen, not multiplied by 0: NaN of the gradients before would stay NaN. At both ends of the k, for either may be held
          // by a link before: a sum that was applied must not be added to, nor one that never was be applied later.
          const next = where(isLater, add(sum!, u), u)
          return [div(next, k), where(isLast, 0, next)]
        })
        return { updates: made.params, slots: made.slots, applies: isLast }
      }),
    hyper: (step, control) => {
      settingsAt(settings, step, control)
      return { isLater: step % k === 0 ? 0 : 1, isLast: step % k === k - 1 ? 1 : 0 }
    },
    stepAfter: (step) => Math.floor(step / k),
  }
}
