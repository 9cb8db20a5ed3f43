import { add, knownOptions, mul, scope } from '@tapeflow/autodiff'
import { checkSettings, namesOf, settingsAt } from '../hyper.ts'
import { leafwise, zeroSlots } from '../leafwise.ts'
import { fraction } from '../range.ts'
import { numbersOf } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `ewma` takes. */
export interface EwmaOptions {
  /** β: how much of the average is kept, from 0 to below 1. */
  readonly decay: number
  /** Whether the weights of the average add up to 1 from the first update on; true by default. */
  readonly biasCorrection?: boolean
}

/**
 * Keeps the exponentially weighted moving average of the parameters beside them; updates pass through as they are. With W_t the
 * parameters after update t = step + 1:
 *
 *     V_t = β V_(t-1) + (1 - β) W_t          V_0 = 0
 *     average = V_t / (1 - β^t)              without correction: average = V_t
 *
 * The average is the slot itself, ready to be read: `slots.average`, a tree like the parameters, to `apply` the model with. It is
 * kept as average_t = average_(t-1) β (1 - β^(t-1)) / (1 - β^t) + W_t (1 - β) / (1 - β^t), the same sequence, with both factors made
 * in float64. Before the first update it is 0. Nothing is averaged at steps that a link before it holds: behind `accumulate` one
 * update counts as one. In a run of `fit` it is `slots.average` of a snapshot, of which `t.fromSnapshot` makes tensors; it is of
 * parameters before `constraints` change them.
 *
 * Course notes have no rule for the start. The averages of TensorFlow and Keras (`use_ema`) begin at the first parameters, and Keras
 * puts them in the place of the parameters at the end.
 *
 * @returns a link of a `chain` with the slot `average`
 * @throws RangeError where the decay is out of range; TypeError where it is no number
 * @example
 * const optimizer = chain(ewma({ decay: 0.5 }), descend({ learningRate: 1 }))
 * const one = optimizer.update([t.tensor(1)], optimizer.init([t.tensor(7)]), [t.tensor(7)], optimizer.hyper(0))
 * ;[one.params[0].item(), one.slots.average[0].item()] // => [6, 6]
 * const two = optimizer.update([t.tensor(3)], one.slots, one.params, optimizer.hyper(1))
 * // 6 has half the weight of 3: (6 + 2 · 3) / 3
 * ;[two.params[0].item(), two.slots.average[0].item()] // => [3, 4]
 *
 * Polyak & Juditsky 1992, Acceleration of stochastic approximation by averaging; the correction is that of Kingma & Ba 2015.
 */
export function ewma(options: EwmaOptions): Transform<'average'> {
  const { decay, biasCorrection = true } = knownOptions('ewma', options, 'decay biasCorrection')
  const slots = ['average'] as const
  const settings = checkSettings({ operation: 'ewma', values: { decay }, ranges: { decay: fraction } })
  return {
    name: 'ewma',
    hyperparameters: namesOf(settings),
    init: (params) => zeroSlots(slots, params),
    update: (updates, now) => ({ updates, slots: now }),
    settle: (now, params, hyper) =>
      scope(() => {
        const number = numbersOf('ewma', hyper)
        const [keep, share] = [number('keep'), number('share')]
        // In the place of gradients anything of that structure: the rule does not look at them.
        const made = leafwise('ewma', slots, params, now, params, (w, _, average) => [
          w,
          add(mul(average!, keep), mul(w, share)),
        ])
        return made.slots
      }),
    hyper: (step, control) => {
      const { decay } = settingsAt(settings, step, control)
      if (!biasCorrection) return { keep: decay, share: 1 - decay }
      const weights = 1 - decay ** (step + 1)
      return { keep: (decay * (1 - decay ** step)) / weights, share: (1 - decay) / weights }
    },
  }
}
