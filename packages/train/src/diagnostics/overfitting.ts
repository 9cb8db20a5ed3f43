import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose } from './diagnose.ts'
import { median, shown, steadyRise, trend, Window } from './window.ts'

/** What `overfitting` takes. */
export interface OverfittingOptions {
  /** The share of itself by which the validation loss may rise over a window while the training loss falls; 0.05 by default. */
  readonly threshold?: number
  /** Over how many validations, from 3 on; 10 by default. */
  readonly window?: number
}

// Kendall's agreement of training losses.
const steadyFall = -0.3

/**
 * An operator that tells when the model learns its training data by heart: over `window` validations their loss rises steadily, by
 * more than `threshold` of itself, while the training loss falls: that of all steps between two validations, so that both are of one span,
 * whatever `validateEvery` says. Trends are compared, never levels: with dropout the training loss
 * lies above the validation loss, and without it below, in healthy runs as well. A rise that noise explains is none: of all
 * pairs of validation losses four in five have to rise. An episode ends when the median of a window is back within `threshold` of the best
 * one. `watch` needs nothing; the run needs `validation`.
 *
 *     steps        1    0.8  0.6  0.4  0.2
 *     validation   1.2  1.1  1.2  1.3  1.4
 *     emits                       d               window: 3
 *
 * @throws RangeError for options out of range
 * @example
 * const losses = [[1, 1.2], [0.8, 1.1], [0.6, 1.2], [0.4, 1.3], [0.2, 1.4]]
 * const events$ = from(losses.flatMap(([training, validation], epoch) => [
 *   { type: 'step', step: epoch, epoch, loss: training, rows: 8 },
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
    looksAt: ['step', 'validation'],
    calm: 1,
    begin: () => {
      const training = new Window(window)
      const validation = new Window(window)
      let best = Number.POSITIVE_INFINITY
      let [sum, rows] = [0, 0]
      return (event) => {
        if (event.type === 'step') {
          sum += event.loss * event.rows
          rows += event.rows
          return []
        }
        // Nothing was trained since the one before, as where a run goes on.
        if (rows === 0) return []
        training.push(sum / rows)
        validation.push(event.loss)
        sum = 0
        rows = 0
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
              `the validation loss rose by ${shown(100 * value)} % over ${window} validations while the training loss fell: try more or augmented data, dropout, l2 or a smaller model, and earlyStopping to keep the best weights.`,
          },
        ]
      }
    },
  })
}
