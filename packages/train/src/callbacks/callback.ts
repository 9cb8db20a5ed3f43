import type { Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { RunInfo, TrainEvent } from '../events.ts'
import type { Log } from '../monitors/guard.ts'
import type { Kept } from '../run-state.ts'

/** What a callback is told of the run that it joins. */
export interface CallbackInfo extends RunInfo {
  /**
   * A value that belongs to the run: it is in every snapshot, and comes back when all is restored. Plain data that can be cloned. A
   * run that goes on finds it by the callback's name and the key; of callbacks of one name by their order, the first, the second. What
   * no callback has asked for in its `run` is told to the log, and lost.
   *
   * @param key unique in the callback
   * @throws RangeError where the callback keeps something under this key already, TypeError where the
   * value cannot be cloned, as the error of whoever takes a snapshot also where it is put in later
   */
  keep<V>(key: string, initial: V): Kept<V>
  /** Tells what must not end the run: the option `log` of `fit`. */
  readonly log: Log
}

/**
 * A function from the stream of a run's events to a stream of commands. A command emitted on an event acts before
 * the next step; one emitted in answer to `finishing` acts before `end`; one emitted later, before the next step that starts.
 *
 * @example
 * const stopBelow = (loss: number): Callback => ({
 *   name: 'stopBelow',
 *   run: (events$) =>
 *     events$.pipe(
 *       filter((event) => event.type === 'epoch' && event.loss < loss),
 *       map(() => ({ type: 'stop', reason: `loss below ${loss}` }) as const),
 *     ),
 * })
 */
export interface Callback {
  /** In `command` events, and in the error should the callback fail. */
  readonly name: string
  run(events$: Observable<TrainEvent>, info: CallbackInfo): Observable<TrainCommand>
}
