import { failRange, knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts } from '../require-numbers.ts'
import type { Callback } from './callback.ts'

/** What `checkpointEvery` takes: one of the two. */
export type CheckpointEveryOptions =
  | { readonly steps: number; readonly epochs?: never }
  | { readonly epochs: number; readonly steps?: never }

const commands: readonly TrainCommand[] = [{ type: 'checkpoint' }]

/**
 * A callback that asks for a checkpoint after every so many steps or epochs.
 *
 *     step       0    1    2    3    4    5
 *     commands   -    -    *    -    -    *       steps: 3, and * is checkpoint
 *
 * Snapshots are in the `checkpoint` events, each as large as weights, slots and layer state; the run keeps its last 16 for the command
 * `restore`, and writes them to its `store`, if it has one. They are taken when all callbacks have heard the event; with validation data, epochs are over when they have been
 * validated, so that what a callback keeps knows of it. Data that has no end has one epoch: say steps there. A run that is stopped then and there takes none: its snapshot is in `end`.
 *
 * @throws RangeError unless one of the two is given, an integer from 1 on
 * @example
 * checkpointEvery({ epochs: 5 }).name // => 'checkpointEvery'
 */
export function checkpointEvery(options: CheckpointEveryOptions): Callback {
  const { steps, epochs } = knownOptions('checkpointEvery', options, 'steps epochs')
  if ((steps === undefined) === (epochs === undefined)) {
    const got = steps === undefined ? 'neither' : 'both'
    failRange('checkpointEvery', `steps or epochs must be given, got ${got}`, 'pass epochs: 1')
  }
  const [name, every] = steps === undefined ? ['epochs', epochs!] : ['steps', steps]
  requireCounts('checkpointEvery', { [name]: every })
  return {
    name: 'checkpointEvery',
    run(events$, info): Observable<TrainCommand> {
      const validating = info.keep<number | null>('validating', null)
      const isOver = (event: TrainEvent): boolean => {
        if (steps !== undefined) return event.type === 'step'
        if (event.type === 'epoch') {
          validating.value = event.validates ? event.epoch : null
          return !event.validates
        }
        // Others are within an epoch.
        return event.type === 'validation' && event.epoch === validating.value
      }
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (!isOver(event)) return []
        const done = (steps === undefined ? event.epoch : event.step) + 1
        return done % every === 0 ? commands : []
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
