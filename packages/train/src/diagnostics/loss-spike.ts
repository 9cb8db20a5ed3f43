import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose, type Finding } from './diagnose.ts'
import { OrderedWindow } from './ordered-window.ts'
import { shown } from './window.ts'

/** What `lossSpike` takes. */
export interface LossSpikeOptions {
  /** By how many deviations the loss of a step may be above the median; 10 by default. */
  readonly threshold?: number
  /** How many steps the median is taken over, from 3 on; 50 by default. */
  readonly window?: number
}

/**
 * An operator that tells when the loss of a step is far above the steps before it: by more than `threshold` deviations above
 * their median. The deviation is 1.4826 times the median distance from the median, at least a hundredth of the median, so that neither
 * earlier spikes nor a loss that stands still matter. A loss that is no finite number is told at once. `watch` needs nothing.
 *
 *     loss    1  1.1  0.9  1  90  80  1
 *     emits                   d            window: 4
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
  const finding = (value: number, advice: () => string): readonly Finding[] => [
    { value, threshold, ill: value > threshold, advice },
  ]
  return diagnose({
    name: 'lossSpike',
    looksAt: ['step'],
    calm: window,
    begin: () => {
      const losses = new OrderedWindow(window)
      return ({ loss }) => {
        if (!Number.isFinite(loss)) {
          return finding(
            Number.POSITIVE_INFINITY,
            () =>
              `the loss is ${loss}: try a lower learning rate, clipByGlobalNorm(1), or terminateOnNaN to see where it began.`,
          )
        }
        if (!losses.isFull) {
          losses.push(loss)
          return []
        }
        const { median: level, distance } = losses
        losses.push(loss)
        const value = (loss - level) / Math.max(1.4826 * distance, 0.01 * Math.abs(level), Number.MIN_VALUE)
        return finding(
          value,
          () =>
            `the loss rose to ${shown(loss)} from about ${shown(level)}: try clipByGlobalNorm(1), a lower learning rate or lrWarmup, and look at the rows of that batch.`,
        )
      }
    },
  })
}
