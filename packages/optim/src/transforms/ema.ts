import { add, knownOptions, mul } from '@tapeflow/autodiff'
import { fraction } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `ema` takes. */
export interface EmaOptions {
  /** β: how much of the average is kept, from 0 to below 1. */
  readonly decay: number
  /** Whether the average is divided by the sum of its weights, 1 - β^t; true by default. */
  readonly biasCorrection?: boolean
}

/**
 * The exponential moving average of updates, which becomes the update. With t = step + 1:
 *
 *     M = β M + (1 - β) u
 *     u = M / (1 - β^t)          without correction: u = M
 *
 * M starts at 0, so that without correction the first averages are too small. It is an average, where `trace` is a sum: rates need
 * no change when β does. The correction is one number, made in float64.
 *
 * @returns a link of a `chain` with the slot `mean`
 * @throws RangeError where the decay is out of range; TypeError where it is no number
 * @example
 * const averaged = (biasCorrection: boolean): number => {
 *   const link = ema({ decay: 0.75, biasCorrection })
 *   return link.update(t.tensor(8), link.init(t.tensor(0)), t.tensor(0), link.hyper(0)).updates.item()
 * }
 * ;[averaged(true), averaged(false)] // => [8, 2]
 *
 * Kingma & Ba 2015, Adam: a method for stochastic optimization, section 3 on the correction.
 */
export function ema(options: EmaOptions): Transform<'mean'> {
  const { decay, biasCorrection = true } = knownOptions('ema', options, 'decay biasCorrection')
  return directing<'mean', 'decay'>({
    name: 'ema',
    slots: ['mean'],
    values: { decay },
    ranges: { decay: fraction },
    numbers: ({ decay }, step) => ({
      decay,
      oneMinusDecay: 1 - decay,
      ...(biasCorrection && { correction: 1 / (1 - decay ** (step + 1)) }),
    }),
    ...(biasCorrection && { scale: 'correction' }),
    leaf: (number) => {
      const [beta, rest] = [number('decay'), number('oneMinusDecay')]
      return (_, u, mean) => {
        const now = add(mul(mean!, beta), mul(u, rest))
        return [now, now]
      }
    },
  })
}
