import { failRange, failType, kindOf, mul, scope, type Tensor } from '@tapeflow/autodiff'
import { checkSettings, hyperOf, namesOf } from '../hyper.ts'
import { checkChoosesSome, checkPredicate, mapLeaves, type PathPredicate } from '../leaves-at.ts'
import { notNegative } from '../range.ts'
import { numbersOf } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** A factor, and which leaves it is for. */
export interface PathFactor {
  /** Whether the leaf at a path has it: `(path) => path.startsWith('layers.0.')`. */
  readonly at: PathPredicate
  /** What the rate is multiplied with there, from 0 on. */
  readonly factor: number
}

/**
 * Rates by path: updates are multiplied with the factor of the first predicate that chooses their path, and pass through as they
 * are where none does. Put it behind what makes directions (`scaleByAdam`), where a factor is one of the rate: before it Adam
 * would scale the factor out again.
 *
 * @param factors at least one; the first that matches counts
 * @returns a link of a `chain` with the hyperparameters `factor0`, `factor1`, … in the order of `factors`
 * @throws RangeError without factors or where one is out of range, and at an update where a predicate is on no leaf; TypeError for
 * what is no predicate and no number
 * @example
 * const link = perPath([{ at: (path) => path.endsWith('bias'), factor: 2 }, { at: (path) => path.startsWith('0.'), factor: 0.5 }])
 * const updates = [{ bias: t.tensor(1), weight: t.tensor(1) }, { bias: t.tensor(1), weight: t.tensor(1) }]
 * const made = link.update(updates, {}, updates, link.hyper(0)).updates
 * made.map(({ bias, weight }) => [bias.item(), weight.item()]) // => [[2, 0.5], [2, 1]]
 */
export function perPath(factors: readonly PathFactor[]): Transform<never> {
  const operation = 'perPath'
  if (!Array.isArray(factors))
    failType(operation, `a list of factors is needed, got ${kindOf(factors)}`, 'pass [{ at, factor }]')
  if (factors.length === 0)
    failRange(operation, 'at least one factor is needed, got 0', 'pass [{ at, factor }]')
  const nameOf = (i: number): string => `factor${i}`
  const rules: readonly PathFactor[] = [...factors]
  for (const [i, rule] of rules.entries()) {
    if (typeof rule !== 'object' || rule === null)
      failType(operation, `${nameOf(i)} must be { at, factor }, got ${kindOf(rule)}`)
    checkPredicate(operation, `at of ${nameOf(i)}`, rule.at)
  }
  const settings = checkSettings({
    operation,
    values: Object.fromEntries(rules.map(({ factor }, i) => [nameOf(i), factor])),
    ranges: Object.fromEntries(rules.map((_, i) => [nameOf(i), notNegative])),
  })
  return {
    name: operation,
    hyperparameters: namesOf(settings),
    init: () => ({}),
    update: (updates, slots, params, hyper) =>
      scope(() => {
        for (const [i, { at }] of rules.entries())
          checkChoosesSome(operation, `at of ${nameOf(i)}`, at, params)
        const numbers = rules.map((_, i) => numbersOf(operation, hyper)(nameOf(i)))
        const scaled = (u: Tensor, path: string): Tensor => {
          const found = rules.findIndex(({ at }) => at(path))
          return found < 0 ? u : mul(u, numbers[found]!)
        }
        return { updates: mapLeaves(updates, scaled), slots }
      }),
    hyper: hyperOf(settings),
  }
}
