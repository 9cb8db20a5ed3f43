import { add, failRange, knownOptions, mul, sub } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction } from '../range.ts'
import { type UpdateRule, updating } from '../rule.ts'

/** What `momentum` takes. */
export interface MomentumOptions extends VelocityOptions {
  /** The rate lr: from 0 on, or a schedule. */
  readonly learningRate: number | Schedule
}

/** What makes a velocity. */
export interface VelocityOptions {
  /** β: how much of the last velocity is kept, from 0 to below 1; 0.9 by default. */
  readonly momentum?: number
  /**
   * Where the rate is multiplied in: 'inside' the velocity, V = β V + lr g and W = W - V, as Sutskever and Keras have it, or
   * 'outside', V = β V + g and W = W - lr V, as PyTorch has it. They differ where the rate changes. 'inside' by default.
   */
  readonly rate?: 'inside' | 'outside'
}

/**
 * Gradient descent with momentum (the heavy ball): steps that agree add up, those that do not cancel.
 *
 *     V = β V + lr g
 *     W = W - V
 *
 * V starts at 0. It is a sum, not an average: under gradients that stay, steps grow up to lr / (1 - β). The rate is inside, so
 * that a change of it acts on new gradients only; `rate: 'outside'` is PyTorch's form, where it acts on all of V at once.
 *
 * The course notes subtract the velocity of the step before: here V is updated first.
 *
 * @returns an optimizer with the slot `velocity`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = momentum({ learningRate: 0.5, momentum: 0.5 })
 * const one = optimizer.update([t.tensor(2)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 9
 * const two = optimizer.update([t.tensor(2)], one.slots, one.params, optimizer.hyper(1))
 * two.params[0].item() // => 7.5
 *
 * Polyak 1964, Some methods of speeding up the convergence of iteration methods; the form is that of Sutskever, Martens, Dahl &
 * Hinton 2013, On the importance of initialization and momentum in deep learning.
 */
export function momentum(options: MomentumOptions): Optimizer<'velocity'> {
  const { learningRate, ...rest } = knownOptions('momentum', options, 'learningRate momentum rate')
  return updating(velocityRule('momentum', rest), learningRate)
}

/** The rule of `momentum`, and with `ahead` that of `nesterov`, under the name of the function that a user calls. */
export function velocityRule(
  name: string,
  { momentum = 0.9, rate = 'inside' }: VelocityOptions,
  ahead = false,
): UpdateRule<'velocity', 'momentum'> {
  if (rate !== 'inside' && rate !== 'outside')
    failRange(name, `rate must be 'inside' or 'outside', got ${String(rate)}`)
  return {
    name,
    slots: ['velocity'],
    values: { momentum },
    ranges: { momentum: fraction },
    leaf: (number) => {
      const learningRate = number('learningRate')
      const beta = number('momentum')
      return (w, g, velocity) => {
        const added = rate === 'inside' ? mul(g, learningRate) : g
        const next = add(mul(velocity!, beta), added)
        const step = ahead ? add(mul(next, beta), added) : next
        return [sub(w, rate === 'inside' ? step : mul(step, learningRate)), next]
      }
    },
  }
}
