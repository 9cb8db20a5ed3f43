import { all, isFinite as finiteOnes, leaves, mul, scope, tensor } from '@tapeflow/autodiff'
import { checkSettings, hyperOf } from '../hyper.ts'
import type { Transform } from '../transform.ts'

/**
 * Lets what follows take place where every element of the updates is finite. Where one is NaN or infinite, parameters and the slots
 * of all links behind it stay as they are, bit for bit; slots of links before it are past help: put it first, but
 * behind `accumulate`, which gathers a NaN for its k steps only.
 *
 * Whether a step takes place is found out on the device: a step that is left out counts for schedules and bias corrections.
 * PyTorch's `GradScaler` leaves such steps out too; optax's `apply_if_finite` gives up after some number of them in a row, this one
 * does not.
 *
 * @returns a link of a `chain`, with nothing to set
 * @example
 * const optimizer = chain(applyIfFinite(), descend({ learningRate: 1 }))
 * const params = { a: t.tensor([1]), b: t.tensor([2]) }
 * const stepped = (a: number, b: number): number[] => {
 *   const next = optimizer.update({ a: t.tensor([a]), b: t.tensor([b]) }, {}, params, optimizer.hyper(0))
 *   return [next.params.a.item(), next.params.b.item()]
 * }
 * ;[stepped(0.5, 0.5), stepped(NaN, 0.5)] // => [[0.5, 1.5], [1, 2]]
 */
export function applyIfFinite(): Transform<never> {
  const settings = checkSettings<never>({ operation: 'applyIfFinite', values: {}, ranges: {} })
  return {
    name: 'applyIfFinite',
    hyperparameters: [],
    init: () => ({}),
    update: (updates, slots) =>
      scope(() => {
        const areFinite = leaves(updates).map((u) => scope(() => all(finiteOnes(u))))
        const applies = areFinite.length === 0 ? tensor(1) : areFinite.reduce((a, b) => mul(a, b))
        return { updates, slots, applies }
      }),
    hyper: hyperOf(settings),
  }
}
