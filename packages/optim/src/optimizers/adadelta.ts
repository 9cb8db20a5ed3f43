import { add, div, knownOptions, mul, scope, sqrt, square } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { fraction, positive } from '../range.ts'
import { type DirectionRule, descending, directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `adadelta` takes. */
export interface AdadeltaOptions extends ScaleByAdadeltaOptions {
  /** The rate lr: from 0 on, or a schedule; 1 by default, as in the paper, which has none. */
  readonly learningRate?: number | Schedule
}

/** What `scaleByAdadelta` takes. */
export interface ScaleByAdadeltaOptions {
  /** ρ: how much of the mean squares is kept, from 0 to below 1; 0.95 by default. */
  readonly rho?: number
  /** ε: added inside both roots, above 0, since nothing would ever move; 1e-6 by default. */
  readonly epsilon?: number
}

/**
 * Adadelta: steps in the units of the parameters, from the ratio of how large steps and gradients have been of late.
 *
 *     v = ρ v + (1 - ρ) g²
 *     d = √(u + ε) / √(v + ε) · g
 *     u = ρ u + (1 - ρ) d²
 *     W = W - lr d
 *
 * u and v start at 0, so that the first steps are of size √ε and grow from there.
 *
 * Defaults are those of the paper. PyTorch: `{ rho: 0.9 }`. Keras: `{ learningRate: 1e-3, epsilon: 1e-7 }`, a rate at which
 * little moves.
 *
 * @returns an optimizer with the slots `v` and `u`
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = adadelta({ rho: 0.75, epsilon: 0.25 })
 * const one = optimizer.update([t.tensor(1)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * // √0.25 / √(0.25 + 0.25)
 * one.params[0].item().toFixed(4) // => '9.2929'
 *
 * Zeiler 2012, ADADELTA: an adaptive learning rate method.
 */
export function adadelta(options: AdadeltaOptions = {}): Optimizer<'v' | 'u'> {
  const { learningRate = 1, ...rest } = knownOptions('adadelta', options, 'learningRate rho epsilon')
  return descending(adadeltaRule('adadelta', rest), learningRate)
}

/**
 * The direction d of `adadelta` as a link of a `chain`.
 *
 * @throws RangeError where a number is out of range; TypeError where it is none
 * @example
 * const optimizer = chain(scaleByAdadelta({ rho: 0.75, epsilon: 0.25 }), descend({ learningRate: 1 }))
 * const one = optimizer.update([t.tensor(1)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item().toFixed(4) // => '9.2929'
 */
export function scaleByAdadelta(options: ScaleByAdadeltaOptions = {}): Transform<'v' | 'u'> {
  knownOptions('scaleByAdadelta', options, 'rho epsilon')
  return directing(adadeltaRule('scaleByAdadelta', options))
}

function adadeltaRule(
  name: string,
  { rho = 0.95, epsilon = 1e-6 }: ScaleByAdadeltaOptions,
): DirectionRule<'v' | 'u', keyof ScaleByAdadeltaOptions> {
  return {
    name,
    slots: ['v', 'u'],
    values: { rho, epsilon },
    ranges: { rho: fraction, epsilon: positive },
    numbers: ({ rho, epsilon }) => ({ rho, oneMinusRho: 1 - rho, epsilon }),
    leaf: (number) => {
      const [rho, rest, epsilon] = [number('rho'), number('oneMinusRho'), number('epsilon')]
      return (_, g, v, u) => {
        const nextV = scope(() => add(mul(v!, rho), mul(square(g), rest)))
        // Each root on its own: where gradients are large, the ratio of the squares would be lost among the smallest numbers.
        const direction = scope(() => mul(div(sqrt(add(u!, epsilon)), sqrt(add(nextV, epsilon))), g))
        const nextU = scope(() => add(mul(u!, rho), mul(square(direction), rest)))
        return [direction, nextV, nextU]
      }
    },
  }
}
