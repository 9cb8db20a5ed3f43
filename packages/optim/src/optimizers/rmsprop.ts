import {
  add,
  div,
  failRange,
  failType,
  kindOf,
  knownOptions,
  mul,
  scope,
  sqrt,
  square,
  sub,
  type Tensor,
} from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { checkNumber, fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing, updating } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `rmsprop` takes. */
export interface RmspropOptions<M extends number = number, C extends boolean = boolean>
  extends ScaleByRmsOptions<C> {
  /** The rate lr: from 0 on, or a schedule; 1e-3 by default. */
  readonly learningRate?: number | Schedule
  /** β: how much of the last velocity is kept, from 0 to below 1; 0 by default. */
  readonly momentum?: M
  /** Where the rate is multiplied in, as in `momentum`: 'inside' the velocity, as in Keras and by default, or 'outside', as in PyTorch. */
  readonly rate?: 'inside' | 'outside'
}

/** What `scaleByRms` takes. */
export interface ScaleByRmsOptions<C extends boolean = boolean> {
  /** ρ: how much of the mean squared gradient is kept, from 0 to below 1; 0.9 by default. */
  readonly rho?: number
  /** ε: added to the root, from 0 on; 1e-8 by default. */
  readonly epsilon?: number
  /** Added inside the root, from 0 on; 0 by default. */
  readonly epsilonRoot?: number
  /** Whether squares are taken around the mean gradient; not by default. */
  readonly centered?: C
}

type SlotOf<C extends boolean> = 'v' | (C extends false ? never : 'm')

/**
 * RMSProp: gradients divided by how large they have been of late, so that the rate does not vanish as that of `adagrad`.
 *
 *     v = ρ v + (1 - ρ) g²
 *     d = g / (√(v + epsilonRoot) + epsilon)
 *     W = W - lr d,   or with momentum   V = β V + lr d,   W = W - V
 *
 * All start at 0, without a bias correction: the first step is lr / √(1 - ρ). With `rate: 'outside'`, V = β V + d and
 * W = W - lr V. With `centered`, v is the variance, with the mean m:
 *
 *     v = ρ (v + (1 - ρ) (g - m)²)
 *     m = ρ m + (1 - ρ) g
 *
 * which is the mean of g² less m², as it is elsewhere written, without the difference: rounding makes that negative, and its root
 * NaN, where gradients hardly change; this is a sum of squares and never is.
 *
 * PyTorch: `{ learningRate: 1e-2, rho: 0.99, rate: 'outside' }`. Keras: `{ epsilon: 0, epsilonRoot: 1e-7 }`. The course notes have
 * ε inside the root: that is `epsilonRoot`. The derivative of √ at 0 is infinite: to differentiate through updates where a
 * gradient may be exactly 0, give `epsilonRoot`.
 *
 * @param options.momentum with 0 nothing is remembered for it, and it is no hyperparameter that could be overridden. Write a
 * constant, as for `centered`: where they are variables, the slots' type has `velocity` and `m` though there may be none
 * @returns an optimizer with the slot `v`, and with `m` and `velocity` where they are asked for
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = rmsprop({ learningRate: 0.5, rho: 0.75, momentum: 0.5 })
 * const one = optimizer.update([t.tensor(3)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * // lr / √(1 - ρ)
 * one.params[0].item().toFixed(4) // => '9.0000'
 * Object.keys(one.slots) // => ['v', 'velocity']
 *
 * Tieleman & Hinton 2012, Lecture 6.5 of Neural networks for machine learning; centered: Graves 2013, Generating sequences with
 * recurrent neural networks.
 */
export function rmsprop<M extends number = 0, C extends boolean = false>(
  options?: RmspropOptions<M, C>,
): Optimizer<SlotOf<C> | (M extends 0 ? never : 'velocity')>
export function rmsprop(options: RmspropOptions = {}): Optimizer<string> {
  const {
    learningRate = 1e-3,
    momentum = 0,
    rate = 'inside',
    ...rest
  } = knownOptions('rmsprop', options, 'learningRate momentum rate rho epsilon epsilonRoot centered')
  checkNumber('rmsprop', 'momentum', momentum, fraction)
  if (rate !== 'inside' && rate !== 'outside')
    failRange('rmsprop', `rate must be 'inside' or 'outside', got ${String(rate)}`)
  const rule = rmsRule('rmsprop', rest)
  if (momentum === 0) return descending(rule, learningRate)
  return updating(
    {
      ...rule,
      slots: [...rule.slots, 'velocity'],
      values: { ...rule.values, momentum },
      ranges: { ...rule.ranges, momentum: fraction },
      numbers: (now, step) => ({ ...rule.numbers(now, step), momentum: now.momentum }),
      leaf: (number, gradients) => {
        const [learningRate, beta] = [number('learningRate'), number('momentum')]
        const direction = rule.leaf(number, gradients)
        return (w, g, ...slots) => {
          const velocity = slots.pop()!
          const [made, ...rest] = direction(w, g, ...slots)
          const next = add(mul(velocity, beta), rate === 'inside' ? mul(made!, learningRate) : made!)
          return [sub(w, rate === 'inside' ? next : mul(next, learningRate)), ...rest, next]
        }
      },
    },
    learningRate,
  )
}

/**
 * The direction d of `rmsprop` as a link of a `chain`.
 *
 * @returns a link with the slot `v`, and with `m` where it is `centered`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByRms({ rho: 0.75 }), descend({ learningRate: 0.5 }))
 * const one = optimizer.update([t.tensor(3)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.0000'
 */
export function scaleByRms<C extends boolean = false>(options?: ScaleByRmsOptions<C>): Transform<SlotOf<C>>
export function scaleByRms(options: ScaleByRmsOptions = {}): Transform<string> {
  knownOptions('scaleByRms', options, 'rho epsilon epsilonRoot centered')
  return directing(rmsRule('scaleByRms', options))
}

type RmsRule = DirectionRule<string, 'rho' | 'epsilon' | 'epsilonRoot'>

function rmsRule(
  name: string,
  { rho = 0.9, epsilon = 1e-8, epsilonRoot = 0, centered = false }: ScaleByRmsOptions,
): RmsRule & Required<Pick<RmsRule, 'numbers'>> {
  if (typeof centered !== 'boolean') failType(name, `centered must be true or false, got ${kindOf(centered)}`)
  return {
    name,
    slots: centered ? ['v', 'm'] : ['v'],
    values: { rho, epsilon, epsilonRoot },
    ranges: { rho: fraction, epsilon: notNegative, epsilonRoot: notNegative },
    numbers: ({ rho, epsilon, epsilonRoot }) => ({
      rho,
      oneMinusRho: 1 - rho,
      epsilon,
      ...(epsilonRoot !== 0 && { epsilonRoot }),
    }),
    leaf: (number) => {
      const [rho, rest, epsilon] = [number('rho'), number('oneMinusRho'), number('epsilon')]
      const inside = number.has('epsilonRoot') ? number('epsilonRoot') : null
      const over = (g: Tensor, v: Tensor): Tensor =>
        scope(() => div(g, add(sqrt(inside === null ? v : add(v, inside)), epsilon)))
      if (!centered)
        return (_, g, v) => {
          const next = scope(() => add(mul(v!, rho), mul(square(g), rest)))
          return [over(g, next), next]
        }
      return (_, g, v, m) => {
        const nextV = scope(() => mul(add(v!, mul(square(sub(g, m!)), rest)), rho))
        const nextM = scope(() => add(mul(m!, rho), mul(g, rest)))
        return [over(g, nextV), nextV, nextM]
      }
    },
  }
}
