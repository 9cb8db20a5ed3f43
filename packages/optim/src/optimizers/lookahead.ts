import { add, knownOptions, mul, scope, sub, where } from '@tapeflow/autodiff'
import { around } from '../around.ts'
import { checkOptimizer } from '../check-optimizer.ts'
import { copyOf, leafwise } from '../leafwise.ts'
import type { Optimizer, Slots } from '../optimizer.ts'
import { positiveCount, share } from '../range.ts'

/** What `lookahead` takes beside an optimizer. */
export interface LookaheadOptions {
  /** k: after so many updates slow and fast weights meet; 5 by default. */
  readonly every?: number
  /** α: how far the slow weights then go towards the fast ones, above 0, up to 1; 0.5 by default. */
  readonly slowStep?: number
}

/**
 * An optimizer of which every k-th update steps back: weights that explore, and slow ones that follow a part of the way.
 *
 *     each update:     W = the inner optimizer's update of W
 *     each k-th one:   slow = slow + α (W - slow), and W = slow
 *
 * The slow weights start as a copy of the parameters. What the inner optimizer remembers goes on through such steps, as in the
 * paper's experiments. `hyper` decides on the host which updates are k-th ones: counted from the run's first, also where `every` is
 * overridden. Neither Keras nor PyTorch has it; TensorFlow Addons has, with k = 6.
 *
 * @param optimizer any optimizer: its slots and hyperparameters keep their names
 * @returns an optimizer with the slot `slow` beside those of the inner one, and its hyperparameters, `every` and `slowStep`
 * @throws RangeError where a number is out of range; TypeError where it is none, or what it is given is no optimizer
 * @example
 * const optimizer = lookahead(sgd({ learningRate: 1 }), { every: 2 })
 * const one = optimizer.update([t.tensor(1)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 9
 * const two = optimizer.update([t.tensor(1)], one.slots, one.params, optimizer.hyper(1))
 * ;[two.params[0].item(), two.slots.slow[0].item()] // => [9, 9]
 *
 * Zhang, Lucas, Hinton & Ba 2019, Lookahead optimizer: k steps forward, 1 step back.
 */
export function lookahead<K extends string>(
  optimizer: Optimizer<K>,
  options?: LookaheadOptions,
): Optimizer<K | 'slow'>
export function lookahead(optimizer: Optimizer<string>, options: LookaheadOptions = {}): Optimizer<string> {
  const name = 'lookahead'
  const { every = 5, slowStep = 0.5 } = knownOptions(name, options, 'every slowStep')
  checkOptimizer(name, optimizer)
  const { hyperparameters, slotNames, hyper, own, inner } = around(optimizer, {
    name,
    slots: ['slow'],
    values: { every, slowStep },
    ranges: { every: positiveCount, slowStep: share },
    numbers: ({ every, slowStep }, step) => ({
      meets: (step + 1) % every === 0 ? 1 : 0,
      oneMinusSlowStep: 1 - slowStep,
    }),
  })
  const { slow } = slotNames
  return {
    name,
    hyperparameters,
    ...(optimizer.eager === true && { eager: true }),
    init: (params) => ({ ...optimizer.init(params), [slow]: copyOf(params) }),
    update: (gradients, slots, params, hyper, evaluate) =>
      scope(() => {
        const number = own(hyper)
        const [meets, back] = [number('meets'), number('oneMinusSlowStep')]
        const before = slots[slow]!
        const fast = optimizer.update(gradients, inner(slots), params, hyper, evaluate)
        const met = leafwise(name, [slow], fast.params, { [slow]: before }, params, (_, w, slow) => {
          // From the fast end, so that a whole step ends on its very bits.
          const next = scope(() => where(meets, add(w, mul(sub(slow!, w), back)), slow!))
          return [where(meets, next, w), next]
        })
        const all: Slots<string, typeof params> = { ...fast.slots, ...met.slots }
        return { params: met.params, slots: all }
      }),
    hyper,
  }
}
