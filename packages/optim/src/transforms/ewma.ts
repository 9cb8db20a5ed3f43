import { add, knownOptions, mul, scope } from '@tapeflow/autodiff'
import { checkSettings, namesOf, settingsAt } from '../hyper.ts'
import { copyOf, leafwise } from '../leafwise.ts'
import { fraction } from '../range.ts'
import { numbersOf } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `ewma` takes. */
export interface EwmaOptions {
  /** β: how much of the average is kept, from 0 to below 1. */
  readonly decay: number
  /** Whether the first update's parameters take the place of those that the average begins at; true by default. */
  readonly biasCorrection?: boolean
}

/**
 * Keeps the exponentially weighted moving average of the parameters beside them; updates pass through as they are. With W_t the
 * parameters after update t = step + 1, and W_0 those before the first:
 *
 *     average_0 = W_0
 *     average_t = average_(t-1) β (1 - β^(t-1)) / (1 - β^t) + W_t (1 - β) / (1 - β^t)
 *     without correction:  average_t = β average_(t-1) + (1 - β) W_t
 *
 * With correction W_0 has no weight from the first update on: the average is V_t / (1 - β^t) of V_t = β V_(t-1) + (1 - β) W_t from
 * V_0 = 0. Without it W_0 counts as if it had always been there, as in TensorFlow and Keras (`use_ema`). Both factors are made in
 * float64, and add up to 1: the average of what stands still is that itself. So what was held from the first step on (in `fit` by
 * `freeze`, or by `accumulate`, `applyIfFinite`) has its average, whenever updates begin, in which W_0 counts for the steps until then.
 * What is held later keeps its average as it was. Behind `accumulate` one update counts as one.
 *
 * The average is the slot itself, ready to be read: `slots.average`, a tree like the parameters, to `apply` the model with. In a run
 * of `fit` it is `slots.average` of a snapshot, of which `t.fromSnapshot` makes tensors; it is of parameters before `constraints`
 * change them. Course notes have no rule for the start; Keras puts averages in the place of the parameters at the end, as `swapEma` does.
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
  const settings = checkSettings({ operation: 'ewma', values: { decay }, ranges: { decay: fraction } })
  return {
    name: 'ewma',
    hyperparameters: namesOf(settings),
    init: (params) => ({ average: copyOf(params) }),
    update: (updates, now) => ({ updates, slots: now }),
    settle: (now, params, hyper) =>
      scope(() => {
        const number = numbersOf('ewma', hyper)
        const [keep, share] = [number('keep'), number('share')]
        // In the place of gradients anything of that structure: the rule does not look at them.
        const made = leafwise('ewma', ['average'], params, now, params, (w, _, average) => [
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
