import {
  add,
  failType,
  foldIn,
  isTensor,
  Key,
  kindOf,
  knownOptions,
  mul,
  normal,
  scope,
} from '@tapeflow/autodiff'
import { checkSettings, namesOf, settingsAt } from '../hyper.ts'
import { mapLeaves } from '../leaves-at.ts'
import type { Hyper } from '../optimizer.ts'
import { notNegative } from '../range.ts'
import { numbersOf } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `addNoise` takes. */
export interface AddNoiseOptions {
  /** All noise is drawn from it. */
  readonly key: Key
  /** η: the variance at the first update, from 0 on; the paper takes 0.01, 0.3 and 1. */
  readonly eta: number
  /** γ: how fast the variance falls, from 0 on; 0.55 by default. */
  readonly gamma?: number
}

/**
 * Adds normal noise of the variance η / (1 + step)^γ to every element of the updates.
 *
 * The noise depends on the key, the leaf's path, the step and the element alone: a compiled run, an eager one and one that was
 * saved and resumed get the same bits. Behind `accumulate` the step counts updates. Keys are made of numbers, so that the number
 * `step` of `hyper` must be one; a number of a function that is being compiled is one too.
 *
 * @returns a link of a `chain` with the hyperparameters `eta` and `gamma`
 * @throws RangeError where a number is out of range; TypeError where it is none, or there is no key; at an update TypeError
 * where a tensor stands in the place of the step
 * @example
 * const link = addNoise({ key: t.key(1), eta: 0.01 })
 * const zeros = { w: t.zeros([1000]) }
 * const made = link.update(zeros, {}, zeros, link.hyper(0)).updates
 * t.std(made.w).item().toFixed(2) // => '0.10'
 *
 * Neelakantan et al. 2015, Adding gradient noise improves learning for very deep networks.
 */
export function addNoise(options: AddNoiseOptions): Transform<never> {
  const { key, eta, gamma = 0.55 } = knownOptions('addNoise', options, 'key eta gamma')
  const operation = 'addNoise'
  if (!(key instanceof Key)) failType(operation, `key must be a key, got ${kindOf(key)}`, 'pass t.key(1)')
  const ranges = { eta: notNegative, gamma: notNegative }
  const settings = checkSettings({ operation, values: { eta, gamma }, ranges })
  return {
    name: operation,
    hyperparameters: namesOf(settings),
    init: () => ({}),
    update: (updates, slots, _, hyper) =>
      scope(() => {
        const step = stepIn(operation, hyper)
        const deviation = numbersOf(operation, hyper)('deviation')
        const noisy = mapLeaves(updates, (u, path) =>
          scope(() => add(u, mul(normal(foldIn(foldIn(key, path), step), u.shape), deviation))),
        )
        return { updates: noisy, slots }
      }),
    hyper: (step, control) => {
      const { eta, gamma } = settingsAt(settings, step, control)
      return { step, deviation: Math.sqrt(eta / (1 + step) ** gamma) }
    },
  }
}

function stepIn(operation: string, { step }: Hyper): number {
  if (step === undefined || isTensor(step)) {
    failType(
      operation,
      `the step must be a number, got ${kindOf(step)}`,
      'pass what hyper(step, control) returned: keys are made of numbers only',
    )
  }
  // Where it is recorded as a number, foldIn takes what stands for it.
  return step as number
}
