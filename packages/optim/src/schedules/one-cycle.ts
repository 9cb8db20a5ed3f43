import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positive, type Range } from '../range.ts'

/** What `oneCycle` takes. */
export interface OneCycleOptions {
  /** The largest rate. */
  readonly peak: number
  /** How many updates there are: the last one, step `steps - 1`, has the smallest rate. */
  readonly steps: number
  /** The share of the steps in which the rate rises, between 0 and 1; 0.3 by default. */
  readonly rising?: number
  /** Step 0 has the rate peak / startDivisor, from 1 on; 25 by default. */
  readonly startDivisor?: number
  /** The last step has the rate peak / startDivisor / endDivisor, above 0; 1e4 by default. */
  readonly endDivisor?: number
  /** How the rate goes from one to the next: along half a cosine, or a straight line; 'cosine' by default. */
  readonly shape?: 'cosine' | 'linear'
  /** 2: up, and down to the end. 3, as in the paper: up, down to the start in as many steps, and on to the end; 2 by default. */
  readonly phases?: 2 | 3
}

const aboveOne: Range = { above: 1, integer: true }
const oneOn: Range = { from: 1 }
const between: Range = { above: 0, below: 1 }

/**
 * A rate that rises once, far above what would do for a whole run, and falls below where it began: from peak / startDivisor to `peak`
 * at step rising · steps - 1, then to peak / startDivisor / endDivisor at step `steps - 1`, and stays.
 *
 * Defaults are those of PyTorch's OneCycleLR, which follows fast.ai; the paper has three phases of straight lines. Both also move
 * momentum against the rate: send the machine `setHyperparameter` for that. PyTorch refuses steps behind the last; Keras has none.
 *
 * @param options.peak from 0 on
 * @param options.steps an integer above 1, and so many that the peak comes behind step 0 and, of three phases, the second ends
 * before the last step
 * @throws RangeError where a number, or later the step, is out of range; TypeError where it is no number
 * @example
 * const rate = oneCycle({ peak: 1, steps: 11, rising: 5 / 11, shape: 'linear' })
 * ;[0, 2, 4, 7, 10].map((step) => rate(step).toFixed(3)) // => ['0.040', '0.520', '1.000', '0.500', '0.000']
 *
 * Smith 2018, A disciplined approach to neural network hyper-parameters: part 1; Smith & Topin 2018, Super-convergence.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const {
    peak,
    steps,
    rising = 0.3,
    startDivisor = 25,
    endDivisor = 1e4,
  } = knownOptions('oneCycle', options, 'peak steps rising startDivisor endDivisor shape phases')
  const { shape = 'cosine', phases = 2 } = options
  checkNumber('oneCycle', 'peak', peak, notNegative)
  checkNumber('oneCycle', 'steps', steps, aboveOne)
  checkNumber('oneCycle', 'rising', rising, between)
  checkNumber('oneCycle', 'startDivisor', startDivisor, oneOn)
  checkNumber('oneCycle', 'endDivisor', endDivisor, positive)
  if (shape !== 'cosine' && shape !== 'linear')
    failRange('oneCycle', `shape must be 'cosine' or 'linear', got ${String(shape)}`)
  if (phases !== 2 && phases !== 3) failRange('oneCycle', `phases must be 2 or 3, got ${String(phases)}`)
  const start = peak / startDivisor
  const end = checkNumber('oneCycle', 'the last rate', start / endDivisor, notNegative)
  const rates = [start, peak, ...(phases === 3 ? [start] : []), end]
  const ends = [0, rising * steps - 1, ...(phases === 3 ? [2 * rising * steps - 2] : []), steps - 1]
  if (ends.some((end, i) => i > 0 && end <= ends[i - 1]!)) {
    failRange(
      'oneCycle',
      `each phase must end behind the one before, got ends at steps ${ends.slice(1).join(', ')}`,
      'change rising, or take more steps',
    )
  }
  return (step) => {
    const at = Math.min(checkNumber('oneCycle', 'step', step, count), steps - 1)
    const phase = ends.findIndex((end, i) => i > 0 && at <= end)
    const share = (at - ends[phase - 1]!) / (ends[phase]! - ends[phase - 1]!)
    const done = shape === 'linear' ? share : (1 - Math.cos(Math.PI * share)) / 2
    return rates[phase - 1]! * (1 - done) + rates[phase]! * done
  }
}
