import { add, knownOptions, mul, scope, sign } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, notNegative } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `lion` takes. */
export interface LionOptions extends ScaleByLionOptions {
  /** The rate lr: from 0 on, or a schedule; 1e-4 by default. */
  readonly learningRate?: number | Schedule
  /** λ: how much of the parameters, rate times, is taken off at each step, from 0 on; 0 by default. */
  readonly weightDecay?: number
}

/** What `scaleByLion` takes. */
export interface ScaleByLionOptions {
  /** β1: the share of the momentum in what the sign is taken of, from 0 to below 1; 0.9 by default. */
  readonly beta1?: number
  /** β2: how much of the momentum is kept, from 0 to below 1; 0.99 by default. */
  readonly beta2?: number
}

/**
 * Descent by signs (evolved sign momentum): every element moves by the rate, whatever the size of its gradient.
 *
 *     W = W - lr (sign(β1 m + (1 - β1) g) + λ W)
 *     m = β2 m + (1 - β2) g
 *
 * m starts at 0; the sign of 0 is 0. It remembers half of what `adam` does. As each step is as long as it can be, rates are 3 to 10
 * times smaller than adam's, and λ as many times larger. The decay is decoupled from the gradient, as in Keras; PyTorch has no Lion.
 *
 * @returns an optimizer with the slot `m`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = lion({ learningRate: 0.25 })
 * const params = { w: t.tensor([1, 1, 1]) }
 * const gradients = { w: t.tensor([1000, -0.001, 0]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray() // => [0.75, 1.25, 1]
 *
 * Chen et al. 2023, Symbolic discovery of optimization algorithms.
 */
export function lion(options: LionOptions = {}): Optimizer<'m'> {
  const {
    learningRate = 1e-4,
    weightDecay = 0,
    ...rest
  } = knownOptions('lion', options, 'learningRate weightDecay beta1 beta2')
  const rule = lionRule('lion', rest)
  return descending<'m', 'beta1' | 'beta2' | 'weightDecay'>(
    {
      ...rule,
      values: { ...rule.values, weightDecay },
      ranges: { ...rule.ranges, weightDecay: notNegative },
      numbers: ({ weightDecay, ...now }, step) => ({
        ...rule.numbers!(now, step),
        ...(weightDecay !== 0 && { weightDecay }),
      }),
      leaf: (number, gradients) => {
        const direction = rule.leaf(number, gradients)
        if (!number.has('weightDecay')) return direction
        const decay = number('weightDecay')
        return (w, g, m) => {
          const [signs, next] = direction(w, g, m!)
          return [add(signs!, mul(w, decay)), next!]
        }
      },
    },
    learningRate,
  )
}

/**
 * The direction of `lion` as a link of a `chain`, without its decay: sign(β1 m + (1 - β1) u).
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByLion(), descend({ learningRate: 0.25 }))
 * const params = { w: t.tensor([1, 1]) }
 * const gradients = { w: t.tensor([1000, -0.5]) }
 * optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0)).params.w.toArray() // => [0.75, 1.25]
 */
export function scaleByLion(options: ScaleByLionOptions = {}): Transform<'m'> {
  knownOptions('scaleByLion', options, 'beta1 beta2')
  return directing(lionRule('scaleByLion', options))
}

function lionRule(
  name: string,
  { beta1 = 0.9, beta2 = 0.99 }: ScaleByLionOptions,
): DirectionRule<'m', keyof ScaleByLionOptions> {
  return {
    name,
    slots: ['m'],
    values: { beta1, beta2 },
    ranges: { beta1: fraction, beta2: fraction },
    numbers: ({ beta1, beta2 }) => ({ beta1, beta2, oneMinusBeta1: 1 - beta1, oneMinusBeta2: 1 - beta2 }),
    leaf: (number) => {
      const [beta1, beta2] = [number('beta1'), number('beta2')]
      const [rest1, rest2] = [number('oneMinusBeta1'), number('oneMinusBeta2')]
      return (_, g, m) => [
        scope(() => sign(add(mul(m!, beta1), mul(g, rest1)))),
        add(mul(m!, beta2), mul(g, rest2)),
      ]
    },
  }
}
