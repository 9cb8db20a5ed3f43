import { add, div, knownOptions, sqrt, square } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `adagrad` takes. */
export interface AdagradOptions extends ScaleByAdagradOptions {
  /** The rate lr: from 0 on, or a schedule; 1e-2 by default. */
  readonly learningRate?: number | Schedule
  /** The rate of a step is lr / (1 + rateDecay · step): from 0 on; 0 by default. */
  readonly rateDecay?: number
}

/** What `scaleByAdagrad` takes. */
export interface ScaleByAdagradOptions {
  /** What the sum of squares begins with: from 0 on; 0 by default. */
  readonly initialAccumulator?: number
  /** ε: added to the root, from 0 on; 1e-10 by default. */
  readonly epsilon?: number
  /** Added inside the root, from 0 on; 0 by default. */
  readonly epsilonRoot?: number
}

/**
 * AdaGrad: a rate for each parameter, which falls with what its gradients have been; rare features keep a large one.
 *
 *     s = s + g²
 *     W = W - lr / (1 + rateDecay · step) · g / (√(s + initialAccumulator + epsilonRoot) + epsilon)
 *
 * s starts at 0 and never falls: under gradients that stay, steps fall like 1/√t, and training can end before the minimum.
 * `initialAccumulator` is added where the root is taken and not to the slot, which is the sum of the squares seen: that is the
 * same, and can be overridden.
 *
 * PyTorch has these defaults, and calls `rateDecay` lr_decay. Keras: `{ learningRate: 1e-3, initialAccumulator: 0.1, epsilon: 0,
 * epsilonRoot: 1e-7 }`. The course notes have ε inside the root: that is `epsilonRoot`. The derivative of √ at 0 is infinite: to
 * differentiate through updates where a gradient may be exactly 0, give one that is inside.
 *
 * @returns an optimizer with the slot `s`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = adagrad({ learningRate: 0.5 })
 * const one = optimizer.update([t.tensor(3)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 9.5
 * const two = optimizer.update([t.tensor(4)], one.slots, one.params, optimizer.hyper(1))
 * two.params[0].item().toFixed(4) // => '9.1000'
 *
 * Duchi, Hazan & Singer 2011, Adaptive subgradient methods for online learning and stochastic optimization.
 */
export function adagrad(options: AdagradOptions = {}): Optimizer<'s'> {
  const {
    learningRate = 1e-2,
    rateDecay = 0,
    ...rest
  } = knownOptions('adagrad', options, 'learningRate rateDecay initialAccumulator epsilon epsilonRoot')
  const rule = adagradRule('adagrad', rest)
  return descending(
    {
      ...rule,
      values: { ...rule.values, rateDecay },
      ranges: { ...rule.ranges, rateDecay: notNegative },
      numbers: (now, step) => ({ ...numbersOf(now), rateFactor: 1 / (1 + now.rateDecay * step) }),
      scale: 'rateFactor',
    },
    learningRate,
  )
}

/**
 * The direction of `adagrad` as a link of a `chain`: g / (√(s + initialAccumulator + epsilonRoot) + epsilon).
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByAdagrad(), descend({ learningRate: 0.5 }))
 * const one = optimizer.update([t.tensor(3)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 9.5
 */
export function scaleByAdagrad(options: ScaleByAdagradOptions = {}): Transform<'s'> {
  knownOptions('scaleByAdagrad', options, 'initialAccumulator epsilon epsilonRoot')
  return directing(adagradRule('scaleByAdagrad', options))
}

type Name = keyof ScaleByAdagradOptions

function adagradRule(
  name: string,
  { initialAccumulator = 0, epsilon = 1e-10, epsilonRoot = 0 }: ScaleByAdagradOptions,
): DirectionRule<'s', Name> {
  return {
    name,
    slots: ['s'],
    values: { initialAccumulator, epsilon, epsilonRoot },
    ranges: { initialAccumulator: notNegative, epsilon: notNegative, epsilonRoot: notNegative },
    numbers: numbersOf,
    leaf: (number) => {
      const epsilon = number('epsilon')
      const inside = number.has('inside') ? number('inside') : null
      return (_, g, s) => {
        const next = add(s!, square(g))
        const root = sqrt(inside === null ? next : add(next, inside))
        return [div(g, add(root, epsilon)), next]
      }
    },
  }
}

function numbersOf({
  initialAccumulator,
  epsilon,
  epsilonRoot,
}: { readonly [n in Name]: number }): Readonly<Record<string, number>> {
  const inside = initialAccumulator + epsilonRoot
  return { epsilon, ...(inside !== 0 && { inside }) }
}
