import { div, knownOptions, where } from '@tapeflow/autodiff'
import { divisor, momentNumbers, moments } from '../moments.ts'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `radam` takes. */
export interface RadamOptions extends ScaleByRadamOptions {
  /** The rate lr: from 0 on, or a schedule; 1e-3 by default. */
  readonly learningRate?: number | Schedule
}

/** What `scaleByRadam` takes. */
export interface ScaleByRadamOptions {
  /** β1: how much of the mean gradient is kept, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the mean squared gradient is kept, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number
  /** ε: added to √v before the bias correction, from 0 on; 1e-8 by default. */
  readonly epsilon?: number
  /** Added inside the root of the corrected v, from 0 on; 0 by default. */
  readonly epsilonRoot?: number
  /** v is divided by where ρ(t) is above this: from 4 on; 5 by default. */
  readonly threshold?: number
}

/**
 * RAdam, Adam that divides by √v only once v has seen enough steps to say something, and less the less it has: what a warm-up of the
 * rate is for. With t = step + 1:
 *
 *     m = β1 m + (1 - β1) g            v = β2 v + (1 - β2) g²
 *     ρ∞ = 2 / (1 - β2) - 1            ρ(t) = ρ∞ - 2 t β2^t / (1 - β2^t)
 *     r = √( (ρ(t) - 4) (ρ(t) - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ(t)) )
 *     W = W - lr · r · m/(1 - β1^t) · √(1 - β2^t) / (√v + ε)     where ρ(t) > threshold
 *     W = W - lr · m/(1 - β1^t)                                  where it is not: the first 5 steps by default
 *
 * m and v start at 0. Which of the two is decided on the host. The steps at first are as large as gradients are. With β2 up to 0.6
 * v is never divided by.
 *
 * PyTorch has these defaults and this place of ε; so has the authors' code. The paper has no ε, and the threshold 4. Keras has no RAdam.
 * As in `adam`, give `epsilonRoot` to differentiate through updates where gradients have been exactly 0.
 *
 * @returns an optimizer with the slots `m` and `v`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = radam({ learningRate: 0.25 })
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '8.0000'
 * const six = optimizer.update([t.tensor(8)], one.slots, one.params, optimizer.hyper(5))
 * six.params[0].item() > 7.99 // => true
 *
 * Liu et al. 2020, On the variance of the adaptive learning rate and beyond.
 */
export function radam(options: RadamOptions = {}): Optimizer<'m' | 'v'> {
  const { learningRate = 1e-3, ...rest } = knownOptions(
    'radam',
    options,
    'learningRate beta1 beta2 epsilon epsilonRoot threshold',
  )
  return descending(radamRule('radam', rest), learningRate)
}

/**
 * The direction of `radam` as a link of a `chain`, with the numbers and slots that it has there.
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByRadam(), descend({ learningRate: 0.25 }))
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '8.0000'
 */
export function scaleByRadam(options: ScaleByRadamOptions = {}): Transform<'m' | 'v'> {
  knownOptions('scaleByRadam', options, 'beta1 beta2 epsilon epsilonRoot threshold')
  return directing(radamRule('scaleByRadam', options))
}

function radamRule(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, threshold = 5 }: ScaleByRadamOptions,
): DirectionRule<'m' | 'v', keyof ScaleByRadamOptions> {
  return {
    name,
    slots: ['m', 'v'],
    values: { beta1, beta2, epsilon, epsilonRoot, threshold },
    ranges: {
      beta1: fraction,
      beta2: fraction,
      epsilon: notNegative,
      epsilonRoot: notNegative,
      threshold: { from: 4 },
    },
    numbers: ({ beta1, beta2, epsilon, epsilonRoot, threshold }, step) => {
      const t = step + 1
      const left2 = 1 - beta2 ** t
      const most = 2 / (1 - beta2) - 1
      const length = most - (2 * t * beta2 ** t) / left2
      const divides = length > threshold
      const rectified = ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length)
      return {
        divides: divides ? 1 : 0,
        correction: (divides ? Math.sqrt(rectified * left2) : 1) / (1 - beta1 ** t),
        ...momentNumbers(beta1, beta2),
        scaledEpsilon: divides ? epsilon : 0,
        ...(epsilonRoot !== 0 && { scaledEpsilonRoot: divides ? epsilonRoot * left2 : 0 }),
      }
    },
    scale: 'correction',
    leaf: (number) => {
      const [next, below] = [moments(number), divisor(number)]
      const divides = number('divides')
      return (_, g, m, v) => {
        const [nextM, nextV] = next(g, m!, v!)
        // Chosen before the root: the derivative of one that is not divided by never matters, infinite or not.
        return [div(nextM, below(where(divides, nextV, 1))), nextM, nextV]
      }
    },
  }
}
