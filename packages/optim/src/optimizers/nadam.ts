import { add, div, knownOptions, mul, scope } from '@tapeflow/autodiff'
import { divisor, momentNumbers, moments } from '../moments.ts'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `nadam` takes. */
export interface NadamOptions extends ScaleByNadamOptions {
  /** The rate lr: from 0 on, or a schedule; 2e-3 by default. */
  readonly learningRate?: number | Schedule
}

/** What `scaleByNadam` takes. */
export interface ScaleByNadamOptions {
  /** β1: how much of the mean gradient is kept, and where μ ends, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the mean squared gradient is kept, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number
  /** ε: added to the root, from 0 on; 1e-8 by default. */
  readonly epsilon?: number
  /** Added inside the root, from 0 on; 0 by default. */
  readonly epsilonRoot?: number
  /** ψ: how fast μ rises from about β1 / 2 to β1, from 0 on; 0.004 by default. */
  readonly momentumDecay?: number
}

/**
 * NAdam, Adam with Nesterov's look ahead, the momentum of the next step on the mean that has this gradient already. With t = step + 1:
 *
 *     m = β1 m + (1 - β1) g            v = β2 v + (1 - β2) g²            μ(t) = β1 (1 - 0.96^(t ψ) / 2)
 *     W = W - lr · (μ(t+1) m / (1 - Π(t+1)) + (1 - μ(t)) g / (1 - Π(t))) / (√(v/(1 - β2^t) + epsilonRoot) + epsilon)
 *
 * with Π(t) = μ(1) · … · μ(t). m and v start at 0. μ and Π are made on the host in float64, from step 0 on whatever step is asked
 * for; what is overridden during a run is taken for all steps. As in PyTorch and Keras, m is kept by β1; the paper keeps it by μ.
 *
 * PyTorch has these defaults; up to 1.13, without `foreach`, Π(t+1) has a factor μ(t) too many there. Keras: `{ learningRate: 1e-3,
 * epsilon: 1e-7, momentumDecay: 1 }`. A large ψ is the paper's form with μ = β1 throughout. As in `adam`, give `epsilonRoot` to
 * differentiate through updates where a gradient may be exactly 0.
 *
 * @returns an optimizer with the slots `m` and `v`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = nadam({ learningRate: 0.25, beta1: 0.5, momentumDecay: 1e9 })
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * // (0.5 · 4 / (1 - 0.25) + 0.5 · 8 / (1 - 0.5)) / 8 of the rate
 * one.params[0].item().toFixed(4) // => '9.6667'
 *
 * Dozat 2016, Incorporating Nesterov momentum into Adam.
 */
export function nadam(options: NadamOptions = {}): Optimizer<'m' | 'v'> {
  const { learningRate = 2e-3, ...rest } = knownOptions(
    'nadam',
    options,
    'learningRate beta1 beta2 epsilon epsilonRoot momentumDecay',
  )
  return descending(nadamRule('nadam', rest), learningRate)
}

/**
 * The direction of `nadam` as a link of a `chain`, with the numbers and slots that it has there.
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByNadam({ beta1: 0 }), descend({ learningRate: 0.25 }))
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.7500'
 */
export function scaleByNadam(options: ScaleByNadamOptions = {}): Transform<'m' | 'v'> {
  knownOptions('scaleByNadam', options, 'beta1 beta2 epsilon epsilonRoot momentumDecay')
  return directing(nadamRule('scaleByNadam', options))
}

function nadamRule(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, momentumDecay = 4e-3 }: ScaleByNadamOptions,
): DirectionRule<'m' | 'v', keyof ScaleByNadamOptions> {
  const product = products()
  return {
    name,
    slots: ['m', 'v'],
    values: { beta1, beta2, epsilon, epsilonRoot, momentumDecay },
    ranges: {
      beta1: fraction,
      beta2: fraction,
      epsilon: notNegative,
      epsilonRoot: notNegative,
      momentumDecay: notNegative,
    },
    numbers: ({ beta1, beta2, epsilon, epsilonRoot, momentumDecay }, step) => {
      const t = step + 1
      const left2 = 1 - beta2 ** t
      // The root of the correction of v is multiplied in above and below the fraction: √v stays as it is.
      const root = Math.sqrt(left2)
      const [now, next] = [momentumAt(t, beta1, momentumDecay), momentumAt(t + 1, beta1, momentumDecay)]
      const before = product(t, beta1, momentumDecay)
      return {
        ofMean: (root * next) / (1 - before * next),
        ofGradient: (root * (1 - now)) / (1 - before),
        ...momentNumbers(beta1, beta2),
        scaledEpsilon: epsilon * root,
        ...(epsilonRoot !== 0 && { scaledEpsilonRoot: epsilonRoot * left2 }),
      }
    },
    leaf: (number) => {
      const [next, below] = [moments(number), divisor(number)]
      const [ofMean, ofGradient] = [number('ofMean'), number('ofGradient')]
      return (_, g, m, v) => {
        const [nextM, nextV] = next(g, m!, v!)
        const ahead = scope(() => add(mul(nextM, ofMean), mul(g, ofGradient)))
        return [div(ahead, below(nextV)), nextM, nextV]
      }
    },
  }
}

/** μ(t). */
function momentumAt(t: number, beta1: number, decay: number): number {
  return beta1 * (1 - 0.96 ** (t * decay) / 2)
}

/** Π(t): always the same product in the same order; it goes on from where the last call ended, where that can be. */
function products(): (t: number, beta1: number, decay: number) => number {
  let known = { t: 0, product: 1, beta1: 0, decay: 0 }
  return (t, beta1, decay) => {
    const goesOn = t >= known.t && beta1 === known.beta1 && decay === known.decay
    let { t: done, product } = goesOn ? known : { t: 0, product: 1 }
    // Below 1e-17, 1 - Π is 1 to the last bit.
    while (done < t && product > 1e-17) product *= momentumAt(++done, beta1, decay)
    known = { t: done, product, beta1, decay }
    return product
  }
}
