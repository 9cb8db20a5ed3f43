import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positive, positiveCount } from '../range.ts'

/** What `polynomialDecay` takes. */
export interface PolynomialDecayOptions {
  /** The rate of step 0. */
  readonly from: number
  /** The step that has the rate `to` first. */
  readonly steps: number
  /** The rate at the end; 0 by default. */
  readonly to?: number
  /** The power of what is left, above 0; 1 by default: a straight line. */
  readonly power?: number
  /** Whether, each time that `to` was reached, the decay is stretched by another `steps`; false by default. */
  readonly cycle?: boolean
}

/**
 * A rate that falls as a power of what is left, and then stays: to + (from - to) · (1 - min(step / steps, 1))^power.
 *
 * With `cycle` it does not stay: `steps` is then steps · max(1, ⌈step / steps⌉), so that the step after `to` jumps up, to where a
 * decay of twice, three times, … the length would be. Keras' PolynomialDecay is this, with `to` 1e-4 by default; PyTorch's
 * PolynomialLR has no `to` and no `cycle`.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = polynomialDecay({ from: 1, steps: 4, power: 2 })
 * ;[0, 1, 2, 3, 4, 5].map(rate) // => [1, 0.5625, 0.25, 0.0625, 0, 0]
 * const again = polynomialDecay({ from: 1, steps: 4, cycle: true })
 * ;[0, 2, 4, 5, 6, 8, 9].map((step) => again(step).toFixed(3)) // => ['1.000', '0.500', '0.000', '0.375', '0.250', '0.000', '0.250']
 *
 * Chen, Papandreou, Kokkinos, Murphy & Yuille 2018, DeepLab: semantic image segmentation, with power 0.9.
 */
export function polynomialDecay(options: PolynomialDecayOptions): Schedule {
  const {
    from,
    steps,
    to = 0,
    power = 1,
    cycle = false,
  } = knownOptions('polynomialDecay', options, 'from steps to power cycle')
  checkNumber('polynomialDecay', 'from', from, notNegative)
  checkNumber('polynomialDecay', 'steps', steps, positiveCount)
  checkNumber('polynomialDecay', 'to', to, notNegative)
  checkNumber('polynomialDecay', 'power', power, positive)
  return (step) => {
    checkNumber('polynomialDecay', 'step', step, count)
    const length = cycle ? steps * Math.max(1, Math.ceil(step / steps)) : steps
    const left = (1 - Math.min(step / length, 1)) ** power
    return from * left + to * (1 - left)
  }
}
