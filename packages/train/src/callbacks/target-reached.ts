import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireNumber } from '../require-numbers.ts'
import { shortNumber } from './best.ts'
import type { Callback } from './callback.ts'
import { type MonitorOptions, monitored } from './monitored.ts'

/** What `targetReached` takes. */
export interface TargetReachedOptions extends MonitorOptions {
  /** What ends the run: with mode `min` this value or a lower one, with `max` this or a higher one. */
  readonly target: number
}

/**
 * A callback that stops a run when a measure is good enough.
 *
 *     validation  0.9  0.5  0.4
 *     commands     -    -   stop       target: 0.4
 *
 * @throws RangeError where the target is not finite, or `mode` or `monitor` is none; as the run's error where the run does not
 * measure it
 * @example
 * targetReached({ monitor: 'validation.accuracy', mode: 'max', target: 0.98 }).name // => 'targetReached'
 */
export function targetReached(options: TargetReachedOptions): Callback {
  const { target } = knownOptions('targetReached', options, 'target monitor mode')
  requireNumber('targetReached', 'target', target, 'a finite number', Number.isFinite)
  const measure = monitored('targetReached', options)
  return {
    name: 'targetReached',
    run(events$, info): Observable<TrainCommand> {
      measure.requireIn(info)
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        const measured = measure.measured(event)
        if (measured === null) return []
        const { value } = measured
        if (value !== target && !measure.isBetter(value, target)) return []
        const reason = `${measure.monitor} has reached ${shortNumber(target)}: it is ${shortNumber(value)}`
        return [{ type: 'stop', reason }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
