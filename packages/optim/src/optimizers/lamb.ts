import { add, div, mul, scope, sqrt, square } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { descending } from '../rule.ts'
import { trustRatio } from '../transforms/scale-by-trust-ratio.ts'

/** What `lamb` takes. */
export interface LambOptions {
  /** The rate lr: from 0 on, or a schedule; 1e-3 by default. */
  readonly learningRate?: number | Schedule
  /** β1: how much of the mean gradient is kept, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the mean squared gradient is kept, from 0 to below 1; 0.999 by default. */
  readonly beta2?: number
  /** ε: added to the root, from 0 on; 1e-6 by default. */
  readonly epsilon?: number
  /** λ: how much of the parameters is added to the direction, from 0 on; 0 by default. */
  readonly weightDecay?: number
}

/**
 * Adam's direction, made as long as the parameters, tensor by tensor: for large batches.
 *
 *     m = β1 m + (1 - β1) g
 *     v = β2 v + (1 - β2) g²
 *     u = m/(1 - β1^t) / (√(v/(1 - β2^t)) + ε) + λ W
 *     W = W - lr (‖W‖ / ‖u‖) u
 *
 * m and v start at 0, t counts from 1. Where ‖W‖ or ‖u‖ is 0, or ‖u‖ below 2e-38 ‖W‖, their quotient is taken as 1. A step is
 * lr ‖W‖ long; the decay, which is decoupled from the moments, turns it. The paper bounds ‖W‖ by a function that its experiments leave
 * out, as is done here; it leaves decay and ratio out for biases, for which there is `perPath`. Keras has `Lamb` with ε 1e-7; PyTorch
 * has none.
 *
 * The derivative of √ at 0 is infinite: to differentiate through updates where a gradient may be exactly 0, chain
 * `scaleByAdam({ epsilonRoot })`, `scaleByTrustRatio()` and `descend`.
 *
 * @returns an optimizer with the slots `m` and `v`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = lamb({ learningRate: 0.1 })
 * const params = { w: t.tensor([3, 4]) }
 * const gradients = { w: t.tensor([1000, 0]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray().map((w) => w.toFixed(4)) // => ['2.5000', '4.0000']
 *
 * You et al. 2020, Large batch optimization for deep learning: training BERT in 76 minutes, Algorithm 2.
 */
export function lamb({
  learningRate = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-6,
  weightDecay = 0,
}: LambOptions = {}): Optimizer<'m' | 'v'> {
  return descending(
    {
      name: 'lamb',
      slots: ['m', 'v'],
      values: { beta1, beta2, epsilon, weightDecay },
      ranges: { beta1: fraction, beta2: fraction, epsilon: notNegative, weightDecay: notNegative },
      numbers: ({ beta1, beta2, epsilon, weightDecay }, step) => {
        const left1 = 1 - beta1 ** (step + 1)
        const left2 = 1 - beta2 ** (step + 1)
        return {
          correction: Math.sqrt(left2) / left1,
          beta1,
          beta2,
          oneMinusBeta1: 1 - beta1,
          oneMinusBeta2: 1 - beta2,
          scaledEpsilon: epsilon * Math.sqrt(left2),
          ...(weightDecay !== 0 && { weightDecay }),
        }
      },
      leaf: (number) => {
        const [beta1, beta2] = [number('beta1'), number('beta2')]
        const [rest1, rest2] = [number('oneMinusBeta1'), number('oneMinusBeta2')]
        const [correction, epsilon] = [number('correction'), number('scaledEpsilon')]
        const decay = number.has('weightDecay') ? number('weightDecay') : null
        return (w, g, m, v) => {
          const nextM = scope(() => add(mul(m!, beta1), mul(g, rest1)))
          const nextV = scope(() => add(mul(v!, beta2), mul(square(g), rest2)))
          const direction = scope(() => {
            const adam = mul(div(nextM, add(sqrt(nextV), epsilon)), correction)
            return decay === null ? adam : add(adam, mul(w, decay))
          })
          return [mul(direction, trustRatio(w, direction)), nextM, nextV]
        }
      },
    },
    learningRate,
  )
}
