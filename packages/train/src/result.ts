import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { isObservable, type Observable } from 'rxjs'
import type { EpochRecord, TrainEvent } from './events.ts'
import type { RunSnapshot } from './snapshots.ts'

/** What a run came to, outside of the heap. */
export interface RunResult<P, S> {
  /** The final weights, `{ shape, values }` in the place of each tensor; `t.fromSnapshot` makes tensors of them. */
  readonly params: RunSnapshot<P, S>['params']
  /** The final layer state, likewise. */
  readonly state: RunSnapshot<P, S>['state']
  /** One entry an epoch. */
  readonly history: readonly EpochRecord[]
  /** `completed`, what the `stop` command said, or `the live data is over`. */
  readonly reason: string
}

/**
 * What a run comes to, as a promise: it subscribes, and resolves at the `end` event. For people without RxJS.
 *
 * @param events$ what `fit` returns
 * @returns parameters and layer state as snapshots, history by epoch, and why it ended; rejects with the run's error
 * @throws RangeError where the stream completes without an `end` event, TypeError for what is no Observable; as its rejection
 * @example
 * const data = dataset({ x: { shape: [2, 1], values: Float32Array.of(1, 2) }, y: { shape: [2, 1], values: Float32Array.of(2, 4) } })
 * const run$ = fit(linear(1, 1), { data: data.batch(2), loss: mse(), optimizer: sgd({ learningRate: 0.1 }), epochs: 3 })
 * const { params, history, reason } = await result(run$)
 * reason // => 'completed'
 * history.length // => 3
 * params.weight.shape // => [1, 1]
 */
export function result<P, S>(events$: Observable<TrainEvent<P, S>>): Promise<RunResult<P, S>> {
  return new Promise((resolve, reject) => {
    if (!isObservable(events$)) {
      failType('result', `the events must be an Observable, got ${kindOf(events$)}`, 'pass what fit returns')
    }
    let found: RunResult<P, S> | null = null
    events$.subscribe({
      next: (event) => {
        if (event.type !== 'end') return
        const { params, state } = event.result
        found = { params, state, history: event.history, reason: event.reason }
      },
      error: reject,
      complete: () => {
        if (found !== null) resolve(found)
        else {
          try {
            failRange('result', 'the stream completed without an end event', 'pass what fit returns')
          } catch (error) {
            reject(error)
          }
        }
      },
    })
  })
}
