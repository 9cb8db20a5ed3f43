import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { bestOf } from './best.ts'
import type { Callback } from './callback.ts'
import { type MonitorOptions, monitored } from './monitored.ts'

/** What `keepBest` takes. */
export interface KeepBestOptions extends MonitorOptions {}

/**
 * A callback that ends a run with the weights of its best measurement, and never stops it.
 *
 *     validation  0.9  0.5  0.4  0.6  0.7
 *     finishing                      restore the weights of 0.4
 *
 * Weights and layer state are copied when a better value is measured, and restored at any completion of the run, before `end`.
 * It is what `earlyStopping` does with `restoreBest`: one of the two will do. Of callbacks that restore at the end (`swapEma` too) the
 * last in the list wins. Keras and Lightning write the best to a file instead
 * (ModelCheckpoint with `save_best_only`, `save_top_k`).
 *
 * @throws RangeError where `mode` or `monitor` is none; as the run's error where the run does not measure it
 * @example
 * keepBest({ monitor: 'validation.accuracy', mode: 'max' }).name // => 'keepBest'
 */
export function keepBest(options: KeepBestOptions = {}): Callback {
  knownOptions('keepBest', options, 'monitor mode')
  const measure = monitored('keepBest', options)
  return {
    name: 'keepBest',
    run(events$, info): Observable<TrainCommand> {
      measure.requireIn(info)
      const best = bestOf(info, measure, { weights: true })
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'finishing') return best.restored()
        const measured = measure.measured(event)
        if (measured !== null) best.improves(measured)
        return []
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
