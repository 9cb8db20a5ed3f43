import { abs, add, div, failRange, knownOptions, maximum, mul, scope } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `adamax` takes. */
export interface AdamaxOptions extends ScaleByAdamaxOptions {
  /** The rate lr: from 0 on, or a schedule; 2e-3 by default. */
  readonly learningRate?: number | Schedule
}

/** What `scaleByAdamax` takes. */
export interface ScaleByAdamaxOptions {
  /** β1: how much of the mean gradient is kept, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the largest gradient is kept, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number
  /** ε: from 0 on; 1e-8 by default. The paper has none; without it, gradients that were 0 from the start give NaN. */
  readonly epsilon?: number
  /**
   * Where ε is added: to the denominator, u + ε, as in Keras and by default, or to the size of each gradient before the
   * larger is taken, max(β2 u, |g| + ε), as in PyTorch.
   */
  readonly epsilonIn?: 'denominator' | 'gradient'
}

/**
 * AdaMax, Adam by the largest gradient of late in place of the mean square. With t = step + 1:
 *
 *     m = β1 m + (1 - β1) g            u = max(β2 u, |g|)
 *     W = W - lr / (1 - β1^t) · m / (u + ε)
 *
 * m and u start at 0; u needs no correction. Steps are at most about the learning rate.
 *
 * PyTorch: `{ epsilonIn: 'gradient' }`. Keras: `{ learningRate: 1e-3, epsilon: 1e-7 }`.
 *
 * @returns an optimizer with the slots `m` and `u`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = adamax({ learningRate: 0.25 })
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.7500'
 * one.slots.u[0].item() // => 8
 *
 * Kingma & Ba 2015, Adam: a method for stochastic optimization, Algorithm 2.
 */
export function adamax(options: AdamaxOptions = {}): Optimizer<'m' | 'u'> {
  const { learningRate = 2e-3, ...rest } = knownOptions(
    'adamax',
    options,
    'learningRate beta1 beta2 epsilon epsilonIn',
  )
  return descending(adamaxRule('adamax', rest), learningRate)
}

/**
 * The direction of `adamax` as a link of a `chain`: m / ((1 - β1^t) (u + ε)).
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByAdamax(), descend({ learningRate: 0.25 }))
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.7500'
 */
export function scaleByAdamax(options: ScaleByAdamaxOptions = {}): Transform<'m' | 'u'> {
  knownOptions('scaleByAdamax', options, 'beta1 beta2 epsilon epsilonIn')
  return directing(adamaxRule('scaleByAdamax', options))
}

function adamaxRule(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonIn = 'denominator' }: ScaleByAdamaxOptions,
): DirectionRule<'m' | 'u', 'beta1' | 'beta2' | 'epsilon'> {
  if (epsilonIn !== 'denominator' && epsilonIn !== 'gradient')
    failRange(name, `epsilonIn must be 'denominator' or 'gradient', got ${String(epsilonIn)}`)
  const early = epsilonIn === 'gradient'
  return {
    name,
    slots: ['m', 'u'],
    values: { beta1, beta2, epsilon },
    ranges: { beta1: fraction, beta2: fraction, epsilon: notNegative },
    numbers: ({ beta1, beta2, epsilon }, step) => ({
      correction: 1 / (1 - beta1 ** (step + 1)),
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      epsilon,
    }),
    scale: 'correction',
    leaf: (number) => {
      const [beta1, beta2] = [number('beta1'), number('beta2')]
      const [rest1, epsilon] = [number('oneMinusBeta1'), number('epsilon')]
      return (_, g, m, u) => {
        const nextM = scope(() => add(mul(m!, beta1), mul(g, rest1)))
        const nextU = scope(() => maximum(early ? add(abs(g), epsilon) : abs(g), mul(u!, beta2)))
        return [div(nextM, early ? nextU : add(nextU, epsilon)), nextM, nextU]
      }
    },
  }
}
