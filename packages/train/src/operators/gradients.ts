import { filter, map, type OperatorFunction } from 'rxjs'
import type { StepEvent, TrainEvent } from '../events.ts'
import { carries, copyAt, type TensorRecord } from './at-path.ts'

/**
 * An operator from a run's events to copies of the gradients of each step: `{ step, epoch, path, value }`, plain data outside
 * of the heap, safe before `throttleTime`, `bufferTime` and `shareReplay`. The run needs `watch: ['gradients']`. A copy is made of each step that comes
 * through: throttle the events first where that is too much. Of a run in a worker they are the arrays that came, with the steps that carry them.
 *
 * @param path `layers.0.weight`, or `layers.0` for all that is there; everything by default
 * @throws RangeError, as the stream's error, where nothing is at `path`
 * @example
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const run$ = fit(linear(1, 1), { data: data.batch(1), loss: mse(), optimizer: sgd({ learningRate: 0.1 }), steps: 3, watch: ['gradients'] })
 * const copies = await lastValueFrom(run$.pipe(gradients('bias'), toArray()))
 * copies.map(({ value }) => value.shape) // => [[1], [1], [1]]
 */
export function gradients(path = ''): OperatorFunction<TrainEvent, TensorRecord> {
  return (events$) =>
    events$.pipe(
      filter((event): event is StepEvent => event.type === 'step' && carries(event)),
      map((event) => ({
        step: event.step,
        epoch: event.epoch,
        path,
        value: copyAt('gradients', event.gradients, path),
      })),
    )
}
