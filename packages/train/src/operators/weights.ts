import { filter, map, type OperatorFunction } from 'rxjs'
import type { StepEvent, TrainEvent } from '../events.ts'
import { carries, copyAt, type TensorRecord } from './at-path.ts'

/**
 * An operator from a run's events to copies of the weights after each step: `{ step, epoch, path, value }`, plain data outside
 * of the heap, safe before `throttleTime`, `bufferTime` and `shareReplay`. A copy is made of each step that comes
 * through. Where that is too much, take fewer events first, by an operator that passes them on while they are handled: `filter(({ step }) => step % 10 === 0)`,
 * or `throttleTime` as it is by default. What holds an event back and emits it later (a trailing `throttleTime`, `auditTime`, `sampleTime`, `debounceTime`,
 * `bufferCount`) gives a StaleSnapshotError here; it stands behind this operator. Of a run in a worker they are the arrays that came, with the steps that carry them.
 *
 * @param path `layers.0.weight`, or `layers.0` for all that is there; everything by default
 * @throws RangeError, as the stream's error, where nothing is at `path`; StaleSnapshotError likewise, for an event that has passed
 * @example
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const run$ = fit(linear(1, 1), { data: data.batch(1), loss: mse(), optimizer: sgd({ learningRate: 0.1 }), steps: 3 })
 * const copies = await lastValueFrom(run$.pipe(weights('bias'), toArray()))
 * copies.map(({ value }) => value.shape) // => [[1], [1], [1]]
 */
export function weights(path = ''): OperatorFunction<TrainEvent, TensorRecord> {
  return (events$) =>
    events$.pipe(
      filter((event): event is StepEvent => event.type === 'step' && carries(event)),
      map((event) => ({
        step: event.step,
        epoch: event.epoch,
        path,
        value: copyAt('weights', event.weights, path),
      })),
    )
}
