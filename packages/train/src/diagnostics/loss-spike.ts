import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose, type Finding } from './diagnose.ts'
import { OrderedWindow } from './ordered-window.ts'
import { agreement, median, shown, steadyRise, Window } from './window.ts'

/** What `lossSpike` takes. */
export interface LossSpikeOptions {
  /** By how many deviations the loss of a step may be above the median, on a logarithmic scale by half as many; 10 by default. */
  readonly threshold?: number
  /** How many steps the median is taken over, from 3 on; 50 by default. */
  readonly window?: number
}

// Over so many losses from the beginning on a steady rise is told from noise, and by this factor it is worth telling.
const [early, grown] = [20, 2]

/**
 * An operator that tells when the loss of a step is far above the steps before it: by more than `threshold` deviations above
 * their median. The deviation is 1.4826 times the median distance from the median, at least a hundredth of the median, so that neither
 * earlier spikes nor a loss that stands still matter. Where all losses are positive, the logarithm has to be above theirs as well, by more
 * than half as many of its own deviations: losses of batches of a few rows lie decades apart in healthy runs (measured: up to 4 of
 * those deviations with 1 to 16 rows). A loss that is no finite number is told at once. `watch` needs nothing.
 *
 *     loss    1  1.1  0.9  1  90  80  1
 *     emits                   d            window: 4
 *
 * It tells divergence, too, from step 20 on: positive losses that rise steadily over the window (four of five pairs of steps do) and have
 * doubled over it and since the run began, by medians of five. `value` is the factor then, `threshold` 2. Data in an order does that as
 * well.
 *
 * An episode ends after as many steps without a spike as the window holds.
 *
 * @throws RangeError for options out of range
 * @example
 * const steps$ = from([1, 1.1, 0.9, 1, 90, 80].map((loss, step) => ({ type: 'step', step, epoch: 0, loss })))
 * const found = []
 * steps$.pipe(lossSpike({ window: 4 })).subscribe(({ step }) => found.push(step))
 * found // => [4]
 *
 * Hampel 1974, The influence curve and its role in robust estimation.
 */
export function lossSpike(options: LossSpikeOptions = {}): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { threshold = 10, window = 50 } = knownOptions('lossSpike', options, 'threshold window')
  requireNumbers('lossSpike', { threshold })
  requireCounts('lossSpike', { window }, 3)
  const finding = (value: number, limit: number, advice: () => string): readonly Finding[] => [
    { value, threshold: limit, ill: value > limit, advice },
  ]
  return diagnose({
    name: 'lossSpike',
    looksAt: ['step'],
    calm: window,
    begin: () => {
      const losses = new OrderedWindow(window)
      const latest = new Window(Math.max(window, early))
      let origin: number | undefined
      return ({ loss }) => {
        if (!Number.isFinite(loss)) {
          return finding(
            Number.POSITIVE_INFINITY,
            threshold,
            () =>
              `the loss is ${loss}: try a lower learning rate, clipByGlobalNorm(1), or terminateOnNaN to see where it began.`,
          )
        }
        latest.push(loss)
        const { values } = latest
        if (values.length === 5) origin ??= median(values)
        const growth = values.length < early ? 0 : growthOf(values, origin!)
        const { isFull, median: level } = losses
        const value = isFull ? deviations(loss, losses, threshold) : 0
        losses.push(loss)
        if (value <= threshold && growth > grown) {
          return finding(
            growth,
            grown,
            () =>
              `the loss rises steadily, to ${shown(growth)} times what it was: try a lower learning rate, lrWarmup or clipByGlobalNorm(1), and shuffle where the data is in an order.`,
          )
        }
        if (!isFull) return []
        return finding(
          value,
          threshold,
          () =>
            `the loss rose to ${shown(loss)} from about ${shown(level)}: try clipByGlobalNorm(1), a lower learning rate or lrWarmup, and look at the rows of that batch.`,
        )
      }
    },
  })
}

/** By how many deviations a loss is above those before it; by twice those of logarithms, where that is less. */
function deviations(loss: number, before: OrderedWindow, threshold: number): number {
  const { median: level, distance } = before
  const value = (loss - level) / Math.max(1.4826 * distance, 0.01 * Math.abs(level), Number.MIN_VALUE)
  if (value <= threshold) return value
  const { values } = before
  if (values[0]! <= 0) return value
  const spread = median(values.map((one) => Math.abs(Math.log(one / level))))
  return Math.min(value, (2 * Math.log(loss / level)) / Math.max(1.4826 * spread, 0.01))
}

/** By what factor positive losses have grown over the window and since the beginning, the less of both; 0 where not steadily. */
function growthOf(values: readonly number[], origin: number): number {
  // The latest loss alone says mostly that nothing grew.
  if (!(origin > 0 && values.at(-1)! > origin)) return 0
  const [oldest, now] = [median(values.slice(0, 5)), median(values.slice(-5))]
  const growth = oldest > 0 ? now / Math.max(oldest, origin) : 0
  return growth > grown && agreement(values) >= steadyRise ? growth : 0
}
