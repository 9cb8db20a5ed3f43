import * as t from '@tapeflow/autodiff'
import type { Penalty } from './penalty.ts'

/** A penalty, and which parameters it is on. */
export interface PenaltyTerm {
  /** Whether the parameter at a path has it: `(path) => path.endsWith('weight')`. */
  readonly at: (path: string) => boolean
  readonly penalty: Penalty
}

/** What parameters cost beside the loss. */
export type Penalties = {
  /** The sum of all, a scalar: what is added to the loss. */
  readonly value: t.Tensor
  /** Of each term, in the order in which they were given. */
  readonly terms: readonly t.Tensor[]
}

/** What parameters cost, as a function of their tree. */
export type Regularizer = (params: unknown) => Penalties

/**
 * Penalties on parameters, chosen by their paths: each term is the sum of its penalty over the parameters that it is on, and
 * their sum is what `fit` adds to the loss, which it tells apart from it.
 *
 * @param terms at least one; a parameter may be in several
 * @returns (params) -> `{ value, terms }`, scalars
 * @throws RangeError without terms, where a term is on no parameter, and where a penalty is no scalar; TypeError for what is no
 * term
 * @example
 * const penalties = regularize([
 *   { at: (path) => path.endsWith('weight'), penalty: l2(0.5) },
 *   { at: (path) => path.startsWith('layers.0'), penalty: l1(1) },
 * ])
 * const params = { layers: [{ weight: t.tensor([[1, 2]]), bias: t.tensor([-4, 0]) }, { weight: t.tensor([[2]]) }] }
 * const { value, terms } = penalties(params)
 * terms.map((term) => term.item()) // => [4.5, 7]
 * value.item() // => 11.5
 */
export function regularize(terms: readonly PenaltyTerm[]): Regularizer {
  if (terms.length === 0)
    t.failRange('regularize', 'at least one term is needed, got 0', 'pass { at, penalty: l2(1e-4) }')
  for (const [i, term] of terms.entries()) {
    if (typeof term?.at === 'function' && typeof term.penalty === 'function') continue
    t.failType(
      'regularize',
      `term ${i} must be { at, penalty }, both functions`,
      'call l2: penalty: l2(1e-4)',
    )
  }
  return (params) =>
    t.scope(() => {
      const [paths, leaves] = [t.paths(params), t.leaves(params)]
      const made = terms.map(({ at, penalty }, i) => {
        const costs = leaves.filter((_, k) => at(paths[k]!)).map(penalty)
        for (const { shape } of costs) {
          if (shape.length > 0)
            t.failRange(
              'regularize',
              `term ${i} must be a scalar, got shape ${t.showShape(shape)}`,
              'sum it up',
            )
        }
        if (costs.length > 0) return costs.reduce((sum, cost) => t.add(sum, cost))
        return t.failRange('regularize', `term ${i} is on no parameter`, `there are ${paths.join(', ')}`)
      })
      // Of one term, another name for it: whoever frees the one has the other.
      const value = made.length === 1 ? t.reshape(made[0]!, []) : made.reduce((sum, term) => t.add(sum, term))
      return { value, terms: made }
    })
}
