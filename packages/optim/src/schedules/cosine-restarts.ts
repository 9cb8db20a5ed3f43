import { knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount, type Range, share } from '../range.ts'

/** What `cosineRestarts` takes. */
export interface CosineRestartsOptions {
  /** The rate of step 0. */
  readonly from: number
  /** How many steps the first period has: so many later, the rate is back. */
  readonly steps: number
  /** What each period would end with; 0 by default. */
  readonly to?: number
  /** How much longer each period is than the one before, from 1 on; 1 by default. */
  readonly periodFactor?: number
  /** How much of `from - to` each restart leaves of the one before, above 0 and at most 1; 1 by default. */
  readonly restartFactor?: number
}

const oneOn: Range = { from: 1 }

/**
 * A rate that falls along half a cosine, is back at once, and falls again, each time `periodFactor` as long. In period n, of whose
 * steps the share x is done:
 *
 *     to + (from - to) · restartFactor^n · (1 + cos(π x)) / 2
 *
 * Period n starts at step `steps` · (1 + periodFactor + … + periodFactor^(n-1)); the step before has not quite reached `to`.
 *
 * PyTorch's CosineAnnealingWarmRestarts has T_mult for `periodFactor`, an integer, and no `restartFactor`. Keras' CosineDecayRestarts
 * has t_mul, 2 by default, and m_mul; its alpha is `to` as a share of `from`.
 *
 * @param options.from the rate of step 0, from 0 on
 * @param options.steps an integer from 1 on
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = cosineRestarts({ from: 1, steps: 2, periodFactor: 2 })
 * ;[0, 1, 2, 3, 4, 5, 6].map((step) => rate(step).toFixed(3)) // => ['1.000', '0.500', '1.000', '0.854', '0.500', '0.146', '1.000']
 *
 * Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts, equation 5.
 */
export function cosineRestarts(options: CosineRestartsOptions): Schedule {
  const {
    from,
    steps,
    to = 0,
    periodFactor = 1,
    restartFactor = 1,
  } = knownOptions('cosineRestarts', options, 'from steps to periodFactor restartFactor')
  checkNumber('cosineRestarts', 'from', from, notNegative)
  checkNumber('cosineRestarts', 'steps', steps, positiveCount)
  checkNumber('cosineRestarts', 'to', to, notNegative)
  checkNumber('cosineRestarts', 'periodFactor', periodFactor, oneOn)
  checkNumber('cosineRestarts', 'restartFactor', restartFactor, share)
  const growth = Math.log1p(periodFactor - 1)
  // The sum of a geometric series; one that is an integer but for rounding is that integer, so that restarts are on their step.
  const start = (period: number): number => {
    if (growth === 0) return period * steps
    const exact = (steps * Math.expm1(growth * period)) / (periodFactor - 1)
    const whole = Math.round(exact)
    return Math.abs(exact - whole) <= 1e-12 * whole ? whole : exact
  }
  return (step) => {
    const periods = checkNumber('cosineRestarts', 'step', step, count) / steps
    let period = Math.floor(growth === 0 ? periods : Math.log1p(periods * (periodFactor - 1)) / growth)
    // The logarithm may be too small in its last bit, which at a restart is the period before.
    if (start(period + 1) <= step) period++
    const done = (step - start(period)) / (start(period + 1) - start(period))
    const left = (restartFactor ** period * (1 + Math.cos(Math.PI * done))) / 2
    return from * left + to * (1 - left)
  }
}
