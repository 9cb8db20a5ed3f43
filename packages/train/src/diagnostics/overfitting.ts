import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose } from './diagnose.ts'
import { median, shown, trend, Window } from './window.ts'

/** What `overfitting` takes. */
export interface OverfittingOptions {
  /** The share of itself by which the validation loss may rise over a window while the training loss falls; 0.05 by default. */
  readonly threshold?: number
  /** Over how many epochs, from 3 on; 10 by default. */
  readonly window?: number
}

// Kendall's agreement: for ten numbers in random order it is 0.6 or above once in about a hundred times.
const steadyRise = 0.6
const steadyFall = -0.3

/**
 * An operator that tells when the model learns its training data by heart: over `window` epochs the validation loss rises steadily, by
 * more than `threshold` of itself, while the training loss falls. Trends are compared, never levels: with dropout the training loss
 * lies above the validation loss, and without it below, in healthy runs as well. A rise that noise explains is none: of all
 * pairs of validation losses four in five have to rise. An episode ends when the median of a window is back within `threshold` of the best
 * one. `watch` needs nothing; the run needs `validation`.
 *
 *     epoch        1    0.8  0.6  0.4  0.2
 *     validation   1.2  1.1  1.2  1.3  1.4
 *     emits                       d               window: 3
 *
 * @throws RangeError for options out of range
 * @example
 * const losses = [[1, 1.2], [0.8, 1.1], [0.6, 1.2], [0.4, 1.3], [0.2, 1.4]]
 * const events$ = from(losses.flatMap(([training, validation], epoch) => [
 *   { type: 'epoch', step: epoch + 1, epoch, loss: training },
 *   { type: 'validation', step: epoch + 1, epoch, loss: validation },
 * ]))
 * const found = []
 * events$.pipe(overfitting({ window: 3 })).subscribe(({ epoch }) => found.push(epoch))
 * found // => [3]
 *
 * Prechelt 1998, Early stopping - but when?
 */
export function overfitting(options: OverfittingOptions = {}): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { threshold = 0.05, window = 10 } = knownOptions('overfitting', options, 'threshold window')
  requireNumbers('overfitting', { threshold })
  requireCounts('overfitting', { window }, 3)
  return diagnose({
    name: 'overfitting',
    looksAt: ['epoch', 'validation'],
    calm: 1,
    begin: () => {
      const training = new Window(window)
      const validation = new Window(window)
      let best = Number.POSITIVE_INFINITY
      return ({ type, loss }) => {
        if (type === 'epoch') {
          training.push(loss)
          return []
        }
        validation.push(loss)
        const both = [training, validation]
        if (!both.every(({ isFull, values }) => isFull && values.every(Number.isFinite))) return []
        const { rise: value, agreement } = trend(validation.values)
        const fall = trend(training.values)
        const level = median(validation.values)
        best = Math.min(best, level)
        return [
          {
            value,
            threshold,
            ill:
              value > threshold && agreement >= steadyRise && fall.rise < 0 && fall.agreement <= steadyFall,
            isWell: level <= best * (1 + threshold),
            advice: () =>
              `the validation loss rose by ${shown(100 * value)} % over ${window} epochs while the training loss fell: try more or augmented data, dropout, l2 or a smaller model, and earlyStopping to keep the best weights.`,
          },
        ]
      }
    },
  })
}
