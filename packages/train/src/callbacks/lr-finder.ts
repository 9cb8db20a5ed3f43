import { failRange, knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { StepEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumber } from '../require-numbers.ts'
import type { Callback } from './callback.ts'
import { restoredFrom } from './restored.ts'

/** What `lrFinder` takes. */
export interface LrFinderOptions {
  /** The first step's rate; 1e-7 by default. */
  readonly from?: number
  /** The last step's; 1 by default. */
  readonly to?: number
  /** After how many steps the run is stopped; 100 by default. */
  readonly steps?: number
  /** β of the average that smooths losses, from 0 to below 1; 0.9 by default. */
  readonly smoothing?: number
  /** The run is stopped where the smoothed loss is above so many times the least so far; 4 by default. */
  readonly divergence?: number
}

/** One step of a range test. */
export interface RatePoint {
  readonly learningRate: number
  readonly loss: number
  readonly smoothedLoss: number
}

/** What a range test has found. */
export interface RateRange {
  /** One point for each step, up to the one at which the loss went through the roof. */
  readonly curve: readonly RatePoint[]
  /** The rate at which the loss falls most steeply over the rate's logarithm; null where it falls nowhere. */
  readonly suggestion: number | null
}

/** A callback that can be asked for what it has found. */
export interface LrFinder extends Callback {
  /**
   * What the last run found that came to its end.
   *
   * @throws RangeError before there is one
   */
  found(): RateRange
}

interface Sweep {
  /** The run's step at which it began. */
  readonly first: number
  readonly average: number
  readonly least: number
  readonly curve: readonly RatePoint[]
}

/**
 * A callback that looks for a learning rate: it raises the rate from step to step, and stops the run where the loss goes through the
 * roof. Of n steps step k, from 0 on, is made at
 *
 *     rate = from (to / from)^(k / (n - 1))
 *
 * Divergence is told from a moving average of the losses, corrected for its start. The suggestion is the rate in the middle of the
 * steepest fall: of the straight lines that fit a fifth of the points best, one after the other, over the logarithm of the rate. What
 * batches differ by looks like falls, too: let them be large, and look at the curve. The run is for looking only: its weights are
 * spoilt, and a new one is made with the rate that was chosen. Give it epochs enough for its steps, and no callback that moves rates.
 *
 * PyTorch Lightning takes the steepest fall between neighbours, smoothed with 0.98, and leaves out the first ten points, which a
 * correction for the start makes noisy.
 *
 * @throws RangeError where rates are not above 0 and rising, steps no integer from 3 on, smoothing or divergence out of range
 * @example
 * const x = { shape: [64, 1], values: Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1) }
 * const y = { shape: [64, 1], values: x.values.map((value) => 3 * value) }
 * const data = dataset({ x, y }).batch(16)
 * const finder = lrFinder({ from: 1e-4, to: 100 })
 * const optimizer = sgd({ learningRate: 0.1 })
 * await result(fit(linear(1, 1), { data, loss: mse(), optimizer, steps: 100, callbacks: [finder] }))
 * const { curve, suggestion } = finder.found()
 * suggestion > 0.01 && suggestion < 1 // => true
 * curve.length < 100 // => true
 *
 * Smith 2017, Cyclical learning rates for training neural networks, section 3.3.
 */
export function lrFinder(options: LrFinderOptions = {}): LrFinder {
  const {
    from = 1e-7,
    to = 1,
    steps = 100,
    smoothing = 0.9,
    divergence = 4,
  } = knownOptions('lrFinder', options, 'from to steps smoothing divergence')
  checkNumbers({ from, to, steps, smoothing, divergence })
  let found: RateRange | null = null
  const rateAt = (k: number): TrainCommand => ({
    type: 'setLearningRate',
    learningRate: from * (to / from) ** (k / (steps - 1)),
  })

  return {
    name: 'lrFinder',
    found: () =>
      found ??
      failRange('lrFinder', 'no run has come to its end with it', 'run fit with it as a callback first'),
    run(events$, info): Observable<TrainCommand> {
      const sweep = info.keep<Sweep | null>('sweep', null)
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'finishing') found = rangeOf(sweep.value?.curve ?? [], Math.ceil(steps / 10))
        if (event.type === 'start' || restoredFrom(event) !== null)
          return [rateAt(event.step - (sweep.value?.first ?? event.step))]
        if (event.type !== 'step') return []
        const { curve, first, least } = taken(event)
        const { learningRate, smoothedLoss } = curve.at(-1)!
        if (!(smoothedLoss - least <= (divergence - 1) * Math.abs(least))) {
          return [
            {
              type: 'stop',
              reason: `the loss diverges at a learning rate of ${learningRate.toPrecision(3)}`,
            },
          ]
        }
        const next = event.step + 1 - first
        return next < steps
          ? [rateAt(next)]
          : [{ type: 'stop', reason: `${steps} learning rates were tried` }]
      }
      const taken = ({ step, loss, learningRate }: StepEvent): Sweep => {
        const before = sweep.value ?? { first: step, average: 0, least: Number.POSITIVE_INFINITY, curve: [] }
        const { first } = before
        const average = smoothing * before.average + (1 - smoothing) * loss
        const smoothedLoss = average / (1 - smoothing ** (step + 1 - first))
        const least = Math.min(before.least, smoothedLoss)
        const made = { first, average, least, curve: [...before.curve, { learningRate, loss, smoothedLoss }] }
        sweep.value = made
        return made
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function rangeOf(curve: readonly RatePoint[], half: number): RateRange {
  let steepest = 0
  let suggestion: number | null = null
  for (let i = half; i + half < curve.length; i++) {
    // Least squares but for a positive factor: rates are evenly spaced in their logarithms.
    let slope = 0
    for (let k = -half; k <= half; k++) slope += k * curve[i + k]!.loss
    if (!(slope < steepest)) continue
    steepest = slope
    suggestion = curve[i]!.learningRate
  }
  return { curve, suggestion }
}

function checkNumbers({ from, to, steps, smoothing, divergence }: Required<LrFinderOptions>): void {
  const check = (name: string, value: unknown, rule: string, fits: (value: number) => boolean): void =>
    requireNumber('lrFinder', name, value, rule, fits)
  check('from', from, 'a rate above 0', (rate) => rate > 0 && Number.isFinite(rate))
  check('to', to, 'a rate above from', (rate) => rate > from && Number.isFinite(rate))
  requireCounts('lrFinder', { steps }, 3)
  check('smoothing', smoothing, 'a number from 0 to below 1', (value) => value >= 0 && value < 1)
  check('divergence', divergence, 'a number above 1', (value) => value > 1)
}
