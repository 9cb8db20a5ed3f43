import { knownOptions } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { checkNumber, fraction } from '../range.ts'
import { descending, updating } from '../rule.ts'
import { velocityRule } from './momentum.ts'

/** What `sgd` takes. */
export interface SgdOptions<M extends number = number> {
  /** The rate lr: from 0 on, or a schedule. */
  readonly learningRate: number | Schedule
  /** β: how much of the last velocity is kept, from 0 to below 1; 0 by default. */
  readonly momentum?: M
}

/**
 * Stochastic gradient descent, with momentum where it is not 0:
 *
 *     V = β V + lr g
 *     W = W - V
 *
 * With momentum 0 the rule is W = W - lr g and nothing is remembered; `momentum` is then no hyperparameter that could be
 * overridden. With another it is what `momentum` makes, under this name.
 *
 * The course notes subtract the velocity of the step before: here V is updated first.
 *
 * @param options.learningRate lr: a number from 0 on, or a schedule
 * @param options.momentum β: from 0 to below 1; 0 by default. Write a constant: where it is a variable, the slots'
 * type has `velocity` though there is none where it is 0
 * @returns an optimizer with the slot `velocity`, or with none
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = sgd({ learningRate: 0.5, momentum: 0.5 })
 * const start = { params: [t.tensor(10)], slots: optimizer.init([t.tensor(10)]) }
 * const one = optimizer.update([t.tensor(2)], start.slots, start.params, optimizer.hyper(0))
 * one.params[0].item() // => 9
 * const two = optimizer.update([t.tensor(2)], one.slots, one.params, optimizer.hyper(1))
 * two.params[0].item() // => 7.5
 *
 * Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum in deep learning.
 */
export function sgd(options: SgdOptions<0>): Optimizer<never>
export function sgd(options: SgdOptions): Optimizer<'velocity'>
export function sgd(options: SgdOptions): Optimizer<never> | Optimizer<'velocity'> {
  const { learningRate, momentum = 0 } = knownOptions('sgd', options, 'learningRate momentum')
  checkNumber('sgd', 'momentum', momentum, fraction)
  if (momentum !== 0) return updating(velocityRule('sgd', { momentum }), learningRate)
  return descending<never, never>(
    { name: 'sgd', slots: [], values: {}, ranges: {}, leaf: () => (_, g) => [g] },
    learningRate,
  )
}
