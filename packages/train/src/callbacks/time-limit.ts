import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import type { Callback } from './callback.ts'

/** What `timeLimit` takes. */
export interface TimeLimitOptions {
  /** How long a run may train, pauses left out. */
  readonly seconds: number
}

/**
 * A callback that stops a run which has trained for so many seconds: validation counts, pauses do not.
 *
 *     seconds     0.4  0.8  1.2
 *     commands     -    -   stop       seconds: 1
 *
 * It looks after each step, epoch and validation, so a run takes as much longer as what is under way when time is up. A run that
 * is resumed from a snapshot has already used what it had used there; going back within a run gives no time back.
 *
 * @throws RangeError unless seconds is a number above 0
 * @example
 * timeLimit({ seconds: 60 }).name // => 'timeLimit'
 */
export function timeLimit(options: TimeLimitOptions): Callback {
  const { seconds } = knownOptions('timeLimit', options, 'seconds')
  requireNumbers('timeLimit', { seconds })
  return {
    name: 'timeLimit',
    run(events$): Observable<TrainCommand> {
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type !== 'step' && event.type !== 'epoch' && event.type !== 'validation') return []
        if (event.seconds < seconds) return []
        return [{ type: 'stop', reason: `trained for ${seconds} seconds` }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
