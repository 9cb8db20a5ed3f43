import { div, knownOptions, maximum } from '@tapeflow/autodiff'
import { divisor, moments } from '../moments.ts'
import type { Optimizer } from '../optimizer.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'
import { type AdamNumber, type AdamOptions, adamRule, type ScaleByAdamOptions } from './adam.ts'

/**
 * AMSGrad, Adam that divides by the largest v so far, so that a rare large gradient is not forgotten and rates never rise. With
 * t = step + 1:
 *
 *     m = β1 m + (1 - β1) g            v = β2 v + (1 - β2) g²            vMax = max(vMax, v)
 *     W = W - lr · m/(1 - β1^t) / (√(vMax/(1 - β2^t) + epsilonRoot) + epsilon)
 *
 * m, v and vMax start at 0. The largest is taken of v as it is, and corrected with the t of now, as in PyTorch (`Adam(amsgrad=True)`,
 * whose defaults these are) and in Keras: `{ epsilon: 1e-7, epsilonHat: true }`. The paper has no bias corrections.
 *
 * As in `adam`, give `epsilonRoot` to differentiate through updates where a gradient may be exactly 0.
 *
 * @returns an optimizer with the slots `m`, `v` and `vMax`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = amsgrad({ learningRate: 0.25, beta1: 0, beta2: 0.5 })
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.7500'
 * const two = optimizer.update([t.tensor(0)], one.slots, one.params, optimizer.hyper(1))
 * ;[two.slots.v[0].item(), two.slots.vMax[0].item()] // => [16, 32]
 *
 * Reddi, Kale & Kumar 2018, On the convergence of Adam and beyond.
 */
export function amsgrad(options: AdamOptions = {}): Optimizer<'m' | 'v' | 'vMax'> {
  const { learningRate = 1e-3, ...rest } = knownOptions(
    'amsgrad',
    options,
    'learningRate beta1 beta2 epsilon epsilonRoot epsilonHat',
  )
  return descending(amsgradRule('amsgrad', rest), learningRate)
}

/**
 * The direction of `amsgrad` as a link of a `chain`: m/(1 - β1^t) / (√(vMax/(1 - β2^t) + epsilonRoot) + epsilon).
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByAmsgrad(), descend({ learningRate: 0.25 }))
 * const one = optimizer.update([t.tensor(8)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.7500'
 */
export function scaleByAmsgrad(options: ScaleByAdamOptions = {}): Transform<'m' | 'v' | 'vMax'> {
  knownOptions('scaleByAmsgrad', options, 'beta1 beta2 epsilon epsilonRoot epsilonHat')
  return directing(amsgradRule('scaleByAmsgrad', options))
}

function amsgradRule(
  name: string,
  options: ScaleByAdamOptions,
): DirectionRule<'m' | 'v' | 'vMax', AdamNumber> {
  return {
    ...adamRule(name, options),
    slots: ['m', 'v', 'vMax'],
    leaf: (number) => {
      const [next, below] = [moments(number), divisor(number)]
      return (_, g, m, v, vMax) => {
        const [nextM, nextV] = next(g, m!, v!)
        const largest = maximum(nextV, vMax!)
        return [div(nextM, below(largest)), nextM, nextV, largest]
      }
    },
  }
}
