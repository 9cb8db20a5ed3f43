import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose } from './diagnose.ts'
import { shown, steadyRise, trend, Window } from './window.ts'

/** What `plateau` takes. */
export interface PlateauOptions {
  /** Whose loss: `epoch` (the training data's, by default) or `validation`. */
  readonly monitor?: 'epoch' | 'validation'
  /** The share of itself by which the loss has to fall over a window; 0.01 by default. */
  readonly threshold?: number
  /** Over how many measurements, from 3 on; 5 by default. */
  readonly window?: number
}

/**
 * An operator that tells when the loss no longer falls: over `window` measurements by less than `threshold` of itself, along the median of the
 * slopes between them. A loss that rises by as much, and steadily, is none: `overfitting` tells that of the validation data, `lossSpike`
 * that of a training that diverges. A loss of 0 has nowhere to fall, and is none either. `watch` needs nothing.
 *
 *     loss    1  0.8  0.6  0.6  0.6  0.4  0.2
 *     emits                      d                 window: 3
 *
 * @throws RangeError for options out of range
 * @example
 * const epochs$ = from([1, 0.8, 0.6, 0.6, 0.6].map((loss, i) => ({ type: 'epoch', step: i + 1, epoch: i, loss })))
 * const found = []
 * epochs$.pipe(plateau({ window: 3 })).subscribe(({ epoch }) => found.push(epoch))
 * found // => [4]
 */
export function plateau(options: PlateauOptions = {}): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const {
    monitor = 'epoch',
    threshold = 0.01,
    window = 5,
  } = knownOptions('plateau', options, 'monitor threshold window')
  if (monitor !== 'epoch' && monitor !== 'validation') {
    failRange('plateau', `monitor must be 'epoch' or 'validation', got '${String(monitor)}'`)
  }
  requireNumbers('plateau', { threshold })
  requireCounts('plateau', { window }, 3)
  return diagnose({
    name: 'plateau',
    looksAt: [monitor],
    calm: window,
    begin: () => {
      const losses = new Window(window)
      return ({ loss }) => {
        losses.push(loss)
        if (!losses.isFull || loss === 0 || !losses.values.every(Number.isFinite)) return []
        const { rise, agreement } = trend(losses.values)
        const value = -rise
        return [
          {
            value,
            threshold,
            ill: value < threshold && !(rise >= threshold && agreement >= steadyRise),
            advice: () =>
              `the ${monitor === 'epoch' ? 'training' : 'validation'} loss stands at ${shown(loss)}: try another learning rate (reduceLROnPlateau where it swings, a higher one where it creeps), a larger model, or stop here.`,
          },
        ]
      }
    },
  })
}
