import { add, knownOptions, mul, sub } from '@tapeflow/autodiff'
import type { Rule } from '../leafwise.ts'
import { checkChoosesSome, checkPredicate, type PathPredicate } from '../leaves-at.ts'
import type { Optimizer } from '../optimizer.ts'
import { notNegative } from '../range.ts'
import { updating } from '../rule.ts'
import { type AdamOptions, adamRule } from './adam.ts'

/** What `adamw` takes. */
export interface AdamwOptions extends AdamOptions {
  /** λ: how much of the parameters goes at a step, times the rate: from 0 on; 0.01 by default. */
  readonly weightDecay?: number
  /** Which parameters decay: all where it is left out. Mostly weights, and no biases or scales of norms. */
  readonly at?: PathPredicate
}

/**
 * Adam with a decay of the parameters that is apart from the gradients:
 *
 *     W = W - lr λ W - lr · m/(1 - β1^t) / (√(v/(1 - β2^t) + epsilonRoot) + epsilon)
 *
 * A penalty λ/2 ‖W‖² in the loss goes through m and v instead, so that what has large gradients hardly decays; here all decay
 * alike, whatever the scale of the gradients. With λ = 0 it is `adam`, bit for bit.
 *
 * The decay is times the rate, schedule and all, as in PyTorch (`{ weightDecay: 0.01 }`, as here) and Keras (`{ weightDecay: 0.004,
 * epsilon: 1e-7, epsilonHat: true }`), which multiply W by 1 - lr λ first. Here lr λ W is subtracted along with the step: 1 - lr λ in
 * float32 is off by up to 3% of a decay of 1e-6, at every step to the same side. In the paper the decay is times the schedule
 * alone: its λ is our λ times the base rate.
 *
 * @returns an optimizer with the slots `m` and `v`
 * @throws RangeError where a number is out of range, and at an update where `at` chooses no leaf; TypeError for what is no number
 * and no function
 * @example
 * const optimizer = adamw({ learningRate: 0.5, weightDecay: 0.5, at: (path) => path.endsWith('weight') })
 * const params = { bias: t.tensor(4), weight: t.tensor(4) }
 * const gradients = { bias: t.tensor(8), weight: t.tensor(8) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.bias.item().toFixed(4) // => '3.5000'
 * next.params.weight.item().toFixed(4) // => '2.5000'
 *
 * Loshchilov & Hutter 2019, Decoupled weight decay regularization.
 */
export function adamw(options: AdamwOptions = {}): Optimizer<'m' | 'v'> {
  const name = 'adamw'
  const {
    learningRate = 1e-3,
    weightDecay = 0.01,
    at,
    ...rest
  } = knownOptions(name, options, 'learningRate weightDecay at beta1 beta2 epsilon epsilonRoot epsilonHat')
  if (at !== undefined) checkPredicate(name, 'at', at)
  const rule = adamRule(name, rest)
  return updating(
    {
      ...rule,
      values: { ...rule.values, weightDecay },
      ranges: { ...rule.ranges, weightDecay: notNegative },
      numbers: (now, step) => ({ ...rule.numbers(now, step), weightDecay: now.weightDecay }),
      leaf: (number, gradients) => {
        const rate = number('learningRate')
        const stepSize = mul(rate, number('correction'))
        const decay = mul(rate, number('weightDecay'))
        const direction = rule.leaf(number, gradients)
        const moved =
          (decays: boolean): Rule =>
          (w, g, ...slots) => {
            const [made, ...rest] = direction(w, g, ...slots)
            const step = mul(made!, stepSize)
            return [sub(w, decays ? add(mul(w, decay), step) : step), ...rest]
          }
        const [decaying, plain] = [moved(true), moved(false)]
        if (at === undefined) return decaying
        checkChoosesSome(name, 'at', at, gradients)
        return { at: (path) => (at(path) ? decaying : plain) }
      },
    },
    learningRate,
  )
}
