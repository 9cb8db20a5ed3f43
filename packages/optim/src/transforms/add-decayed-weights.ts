import { add, knownOptions, mul } from '@tapeflow/autodiff'
import { checkPredicate, type PathPredicate } from '../leaves-at.ts'
import { notNegative } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'
import { maskedAs } from './masked.ts'

/** What `addDecayedWeights` takes. */
export interface AddDecayedWeightsOptions {
  /** λ: the share of the parameters that is added, from 0 on. */
  readonly weightDecay: number
  /** Which parameters decay: all where it is left out. Mostly weights, and no biases or scales of norms. */
  readonly at?: PathPredicate
}

/**
 * Adds a share of the parameters to their updates: u + λ W. Where it stands decides what it is: before `scaleByAdam` it is the
 * gradient of λ/2 ‖W‖², which Adam scales as any other (L2 regularization, PyTorch's `Adam(weight_decay)`); after it, and before
 * `descend`, all weights shrink by the share lr λ (decoupled, AdamW).
 *
 * Keras' `weight_decay` and PyTorch's AdamW shrink by lr λ too; the paper by λ times the schedule alone, without the rate.
 *
 * @returns a link of a `chain` with the hyperparameter `weightDecay`
 * @throws RangeError where the share is out of range, and at an update where `at` chooses no leaf; TypeError for what is no number
 * and no function
 * @example
 * const link = addDecayedWeights({ weightDecay: 0.5, at: (path) => path === 'weight' })
 * const params = { bias: t.tensor([2]), weight: t.tensor([4]) }
 * const updates = { bias: t.tensor([1]), weight: t.tensor([1]) }
 * const made = link.update(updates, {}, params, link.hyper(0)).updates
 * ;[made.bias.item(), made.weight.item()] // => [1, 3]
 *
 * Loshchilov & Hutter 2019, Decoupled weight decay regularization.
 */
export function addDecayedWeights(options: AddDecayedWeightsOptions): Transform<never> {
  const name = 'addDecayedWeights'
  const { weightDecay, at } = knownOptions(name, options, 'weightDecay at')
  const everywhere = directing<never, 'weightDecay'>({
    name,
    slots: [],
    values: { weightDecay },
    ranges: { weightDecay: notNegative },
    leaf: (number) => {
      const share = number('weightDecay')
      return (w, u) => [add(u, mul(w, share))]
    },
  })
  if (at === undefined) return everywhere
  checkPredicate(name, 'at', at)
  return maskedAs(name, everywhere, at)
}
