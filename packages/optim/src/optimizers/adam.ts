import { div, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { divisor, momentNumbers, moments } from '../moments.ts'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `adam` takes. */
export interface AdamOptions extends ScaleByAdamOptions {
  /** The rate lr: from 0 on, or a schedule; 1e-3 by default. */
  readonly learningRate?: number | Schedule
}

/** What `scaleByAdam` takes. */
export interface ScaleByAdamOptions {
  /** β1: how much of the mean gradient is kept, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the mean squared gradient is kept, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number
  /** ε: added to the root, from 0 on; 1e-8 by default. */
  readonly epsilon?: number
  /** Added inside the root, from 0 on; 0 by default. */
  readonly epsilonRoot?: number
  /** Whether ε is added to √v before the bias correction, as in Keras (the paper's ε̂), and not behind it; not by default. */
  readonly epsilonHat?: boolean
}

/**
 * Adam: steps of about the learning rate whatever the scale of the gradients. With t = step + 1:
 *
 *     m = β1 m + (1 - β1) g            v = β2 v + (1 - β2) g²
 *     W = W - lr · m/(1 - β1^t) / (√(v/(1 - β2^t) + epsilonRoot) + epsilon)
 *
 * m and v start at 0. The bias corrections are multiplied into rate and epsilons (end of section 2 of the paper; ε is
 * scaled along, so that the result is that of Algorithm 1), in float64: no pass over the parameters is spent on them.
 *
 * PyTorch has these defaults. Keras: `{ epsilon: 1e-7, epsilonHat: true }`.
 *
 * Notes differ: β^t = 1 - (1-β)^t, v without the square and ε inside the root are slips; `epsilonRoot` is the last.
 * The derivative of √ at 0 is infinite: to differentiate through updates where a gradient may be exactly 0, give
 * `epsilonRoot`. A β that is overridden during a run is taken for all steps in β^t.
 *
 * @returns an optimizer with the slots `m` and `v`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = adam({ learningRate: 0.25 })
 * const params = { w: t.tensor([1, 1]) }
 * const gradients = { w: t.tensor([1000, -0.5]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray().map((w) => w.toFixed(4)) // => ['0.7500', '1.2500']
 *
 * Kingma & Ba 2015, Adam: a method for stochastic optimization.
 */
export function adam(options: AdamOptions = {}): Optimizer<'m' | 'v'> {
  const { learningRate = 1e-3, ...rest } = knownOptions(
    'adam',
    options,
    'learningRate beta1 beta2 epsilon epsilonRoot epsilonHat',
  )
  return descending(adamRule('adam', rest), learningRate)
}

/**
 * The direction of `adam` as a link of a `chain`: m/(1 - β1^t) / (√(v/(1 - β2^t) + epsilonRoot) + epsilon), with the numbers and
 * slots that it has there.
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByAdam(), descend({ learningRate: 0.25 }))
 * const params = { w: t.tensor([1, 1]) }
 * const gradients = { w: t.tensor([1000, -0.5]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray().map((w) => w.toFixed(4)) // => ['0.7500', '1.2500']
 */
export function scaleByAdam(options: ScaleByAdamOptions = {}): Transform<'m' | 'v'> {
  knownOptions('scaleByAdam', options, 'beta1 beta2 epsilon epsilonRoot epsilonHat')
  return directing(adamRule('scaleByAdam', options))
}

/** The numbers that may be overridden. */
export type AdamNumber = 'beta1' | 'beta2' | 'epsilon' | 'epsilonRoot'

/** The rule of `adam` under the name of the function that a user calls. */
export function adamRule(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, epsilonHat = false }: ScaleByAdamOptions,
): DirectionRule<'m' | 'v', AdamNumber> & Required<Pick<DirectionRule<'m' | 'v', AdamNumber>, 'numbers'>> {
  if (typeof epsilonHat !== 'boolean')
    failType(name, `epsilonHat must be true or false, got ${kindOf(epsilonHat)}`)
  return {
    name,
    slots: ['m', 'v'],
    values: { beta1, beta2, epsilon, epsilonRoot },
    ranges: { beta1: fraction, beta2: fraction, epsilon: notNegative, epsilonRoot: notNegative },
    numbers: ({ beta1, beta2, epsilon, epsilonRoot }, step) => {
      const left1 = 1 - beta1 ** (step + 1)
      const left2 = 1 - beta2 ** (step + 1)
      return {
        correction: Math.sqrt(left2) / left1,
        ...momentNumbers(beta1, beta2),
        scaledEpsilon: epsilonHat ? epsilon : epsilon * Math.sqrt(left2),
        ...(epsilonRoot !== 0 && { scaledEpsilonRoot: epsilonRoot * left2 }),
      }
    },
    scale: 'correction',
    leaf: (number) => {
      const [next, below] = [moments(number), divisor(number)]
      return (_, g, m, v) => {
        const [nextM, nextV] = next(g, m!, v!)
        return [div(nextM, below(nextV)), nextM, nextV]
      }
    },
  }
}
