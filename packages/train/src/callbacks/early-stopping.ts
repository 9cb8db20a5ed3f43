import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts, requireFlags, requireNumber } from '../require-numbers.ts'
import { bestOf, shortNumber } from './best.ts'
import type { Callback } from './callback.ts'
import { type MonitorOptions, monitored } from './monitored.ts'

/** What `earlyStopping` takes. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** After how many measurements in a row without a better one the run is stopped. */
  readonly patience: number
  /** By how much a better value must be better; 0 by default. */
  readonly minDelta?: number
  /** What a better value must also beat, else it counts as one without progress; nothing by default. */
  readonly baseline?: number
  /** From which epoch on measurements count, 0 by default: earlier ones are neither the best nor waited for. */
  readonly startFrom?: number
  /** Whether the run ends with the weights of its best measurement, even if it was not stopped; true by default. */
  readonly restoreBest?: boolean
}

/**
 * A callback that stops a run when a measure has stopped getting better, and brings the best weights back.
 *
 *     validation  0.9  0.5  0.4  0.6  0.7
 *     commands     -    -    -    -   stop       patience: 2
 *     finishing                      restore the weights of 0.4
 *
 * A value is better if it beats the best so far by more than `minDelta`; NaN never is. Weights and layer state are copied
 * when a better value is measured, and restored at any completion of the run, before `end`. Unlike in Keras, whose `baseline` and
 * `start_from_epoch` mean the same, `restoreBest` is on by default.
 *
 * @throws RangeError where patience is no integer from 1 on, startFrom none from 0 on, minDelta is negative or baseline NaN; as
 * the run's error where `monitor` names something that the run does not measure
 * @example
 * const callback = earlyStopping({ monitor: 'validation.accuracy', mode: 'max', patience: 3 })
 * callback.name // => 'earlyStopping'
 */
export function earlyStopping(options: EarlyStoppingOptions): Callback {
  const {
    patience,
    minDelta = 0,
    baseline,
    startFrom = 0,
    restoreBest = true,
  } = knownOptions('earlyStopping', options, 'patience minDelta baseline startFrom restoreBest monitor mode')
  const name = 'earlyStopping'
  requireCounts(name, { patience })
  requireCounts(name, { startFrom }, 0)
  requireNumber(name, 'minDelta', minDelta, 'a number from 0 on', (value) => value >= 0)
  if (baseline !== undefined) {
    requireNumber(name, 'baseline', baseline, 'a finite number', Number.isFinite, 'leave it out for none')
  }
  requireFlags(name, { restoreBest })
  const measure = monitored('earlyStopping', options)
  const { monitor, isBetter } = measure

  return {
    name: 'earlyStopping',
    run(events$, info): Observable<TrainCommand> {
      measure.requireIn(info)
      const best = bestOf(info, measure, { minDelta, weights: restoreBest })
      const waited = info.keep('waited', 0)

      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'finishing') return best.restored()
        const measured = measure.measured(event)
        if (measured === null || measured.event.epoch < startFrom) return []
        const improves = best.improves(measured)
        if (improves && (baseline === undefined || isBetter(measured.value, baseline, minDelta))) {
          waited.value = 0
          return []
        }
        waited.value++
        if (waited.value < patience) return []
        const times = patience === 1 ? 'once' : `${patience} times`
        const beyond = baseline === undefined ? '' : ` beyond ${shortNumber(baseline)}`
        const reason = `${monitor} has not improved${beyond} ${times}, best ${shortNumber(best.value)}`
        return [{ type: 'stop', reason }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
