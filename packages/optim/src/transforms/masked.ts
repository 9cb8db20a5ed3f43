import { failType, kindOf, scope } from '@tapeflow/autodiff'
import { checkChoosesSome, checkPredicate, leavesAt, type PathPredicate, withLeavesOf } from '../leaves-at.ts'
import type { Transform } from '../transform.ts'

/**
 * A link that acts on the leaves alone whose paths are chosen: updates of the others pass through as they are. The link inside
 * sees null in the place of those: norms are of what is chosen, and slots hold no memory for the rest. Where it holds what
 * follows in the chain (`accumulate`, `applyIfFinite`), all of that is held, as without the mask.
 *
 * @param transform the link; its slots and hyperparameters keep their names
 * @param at whether the leaf at a path is chosen: `(path) => path.endsWith('weight')`
 * @throws TypeError where `transform` is none or `at` is no function; at an update RangeError where no leaf is chosen
 * @example
 * const link = masked(clipByGlobalNorm(1), (path) => path.endsWith('weight'))
 * const updates = { bias: t.tensor([12]), weight: t.tensor([3, 4]) }
 * const made = link.update(updates, {}, updates, link.hyper(0)).updates
 * made.bias.toArray() // => [12]
 * made.weight.toArray().map((u) => u.toFixed(4)) // => ['0.6000', '0.8000']
 */
export function masked<K extends string>(transform: Transform<K>, at: PathPredicate): Transform<K> {
  if (typeof (transform as Partial<Transform<K>> | null)?.update !== 'function')
    failType('masked', `a transform is needed, got ${kindOf(transform)}`, 'call it: clipByGlobalNorm(1)')
  checkPredicate('masked', 'at', at)
  return maskedAs('masked', transform, at)
}

/** `masked` under the name of the function that a user calls. */
export function maskedAs<K extends string>(
  name: string,
  transform: Transform<K>,
  at: PathPredicate,
): Transform<K> {
  const { stepAfter } = transform
  return {
    name,
    hyperparameters: transform.hyperparameters,
    init: (params) => transform.init(leavesAt(params, at)),
    update: (updates, slots, params, hyper) =>
      scope(() => {
        checkChoosesSome(name, 'at', at, params)
        const made = transform.update(leavesAt(updates, at), slots, leavesAt(params, at), hyper)
        if (made.updates === undefined)
          failType(name, 'a transform is needed, got an optimizer', 'use it at the end of the chain')
        return { ...made, updates: withLeavesOf(updates, made.updates) }
      }),
    hyper: (step, control) => transform.hyper(step, control),
    ...(stepAfter !== undefined && { stepAfter: (step: number) => stepAfter(step) }),
    ...(transform.settle !== undefined && {
      settle: (slots, params, hyper) => transform.settle!(slots, leavesAt(params, at), hyper),
    }),
  }
}
