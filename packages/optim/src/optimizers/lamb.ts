import { add, knownOptions, mul, scope } from '@tapeflow/autodiff'
import type { Optimizer } from '../optimizer.ts'
import { notNegative } from '../range.ts'
import { descending } from '../rule.ts'
import { trustRatio } from '../transforms/scale-by-trust-ratio.ts'
import { type AdamOptions, adamRule } from './adam.ts'

/** What `lamb` takes. */
export interface LambOptions extends AdamOptions {
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
 *     u = m/(1 - β1^t) / (√(v/(1 - β2^t) + epsilonRoot) + ε) + λ W
 *     W = W - lr (‖W‖ / ‖u‖) u
 *
 * m and v start at 0, t counts from 1. Where ‖W‖ or ‖u‖ is 0, or ‖u‖ below 2e-38 ‖W‖, their quotient is taken as 1. A step is
 * lr ‖W‖ long; the decay, which is decoupled from the moments, turns it. The paper bounds ‖W‖ by a function that its experiments leave
 * out, as is done here; it leaves decay and ratio out for biases, for which there is `perPath`. Keras has `Lamb` with ε 1e-7; PyTorch
 * has none.
 *
 * As in `adam`, give `epsilonRoot` to differentiate through updates where a gradient may be exactly 0.
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
export function lamb(options: LambOptions = {}): Optimizer<'m' | 'v'> {
  const {
    learningRate = 1e-3,
    epsilon = 1e-6,
    weightDecay = 0,
    ...rest
  } = knownOptions('lamb', options, 'learningRate epsilon weightDecay beta1 beta2 epsilonRoot epsilonHat')
  // The ratio is that of the whole direction: what scales it is multiplied in here.
  const { scale: _, ...adam } = adamRule('lamb', { ...rest, epsilon })
  return descending(
    {
      ...adam,
      values: { ...adam.values, weightDecay },
      ranges: { ...adam.ranges, weightDecay: notNegative },
      numbers: (now, step) => ({
        ...adam.numbers(now, step),
        ...(now.weightDecay !== 0 && { weightDecay: now.weightDecay }),
      }),
      leaf: (number, gradients) => {
        const directed = adam.leaf(number, gradients)
        const correction = number('correction')
        const decay = number.has('weightDecay') ? number('weightDecay') : null
        return (w, g, ...slots) => {
          const [quotient, ...rest] = directed(w, g, ...slots)
          const direction = scope(() => {
            const corrected = mul(quotient!, correction)
            return decay === null ? corrected : add(corrected, mul(w, decay))
          })
          return [mul(direction, trustRatio(w, direction)), ...rest]
        }
      },
    },
    learningRate,
  )
}
