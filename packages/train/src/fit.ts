import type { Tree } from '@tapeflow/autodiff'
import { isObservable, type Observable } from 'rxjs'
import type { TrainEvent } from './events.ts'
import { checkOptions, type FitOptions, type RunOptions, type StepOptions } from './options.ts'
import { OwnedObservable } from './owned.ts'
import { clock } from './pace.ts'
import { prepareRun } from './run.ts'
import { runInSlices, type Slices } from './slices.ts'
import type { Model, NamedModel } from './step.ts'

// Measured with steps of 30 us in Node 20 and Chromium: slices from 2 ms on cost no more than one endless slice, within noise,
// and pages keep their 60 frames a second; slices of one step cost a third.
const budgetByDefault = 4

/**
 * A stream of everything that happens in a training run: `start`, then for each batch a `step`, at each epoch's end
 * `epoch` and, with validation data, `validation`, at last `finishing` and `end`.
 *
 * The stream is cold: each subscription is a run of its own, with parameters drawn from the seed; runs do not disturb each
 * other. Nothing is emitted inside `subscribe`. Unsubscribing stops before the next step. When a run has ended, failed or was
 * unsubscribed, nothing of it is left in the heap: results are snapshots.
 *
 * One step: the batch is copied into the heap; loss and gradients are taken at the weights as they are; the optimizer makes new
 * ones. It depends on weights, layer state, slots, batch and key alone: the same seed gives the same bits. It is recorded once
 * for each shape of batch and then runs as a program, which writes new weights over the old ones; with `compile: false` model and
 * loss are called at every step, and may read values. An optimizer that reads values itself (`lbfgs`) makes a run eager.
 *
 * At a boundary the event goes to the subscriber, then to the callbacks in their order; their commands act (of one kind the last;
 * `stop` beats all), so before the next step; then the monitors hear of it.
 *
 * @param model a layer: `sequential(linear(2, 16), tanh(), linear(16, 1))`
 * @param options `data`, `loss`, `optimizer` and either `epochs` or `steps`; see FitOptions for the others
 * @throws RangeError or TypeError at once where an option is unknown or wrong; what goes wrong in the run is the stream's error
 * @example
 * const xor = dataset({
 *   x: { shape: [4, 2], values: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1) },
 *   y: { shape: [4, 1], values: Float32Array.of(0, 1, 1, 0) },
 * })
 * const model = sequential(linear(2, 8), tanh(), linear(8, 1))
 * const run$ = fit(model, { data: xor.batch(4), loss: mse(), optimizer: adam({ learningRate: 0.05 }), epochs: 200 })
 * const { history } = await result(run$)
 * history.at(-1).loss < 0.01 // => true
 */
export function fit<P extends Tree, S extends Tree>(
  model: Model<P, S>,
  options: FitOptions,
): Observable<TrainEvent<P, S>>
export function fit<P extends Tree, S extends Tree>(
  model: Model<P, S>,
  options: StepOptions<P, S>,
): Observable<TrainEvent<P, S>>
export function fit<P extends Tree, S extends Tree>(
  model: NamedModel<P, S>,
  options: FitOptions | StepOptions<P, S, never>,
): Observable<TrainEvent<P, S>>
export function fit<P extends Tree, S extends Tree>(
  model: Model<P, S> | NamedModel<P, S>,
  options: RunOptions<P, S>,
): Observable<TrainEvent<P, S>> {
  checkOptions(model, options)
  const { pace, scheduler } = options
  const { budget = budgetByDefault, rest = 0 } = pace === undefined || isObservable(pace) ? {} : pace
  return new OwnedObservable<TrainEvent<P, S>>((owner) => {
    const time = clock(rest, scheduler)
    let slices: Slices | null = null
    const { program, boundary } = prepareRun(model, options, owner, {
      now: time.now,
      isDue: () => slices === null || slices.isDue(),
      wake: () => slices?.wake(),
    })
    slices = runInSlices(program, time, budget, (failure) => {
      if (failure === null) return owner.complete()
      boundary.fail(failure.error)
      owner.error(failure.error)
    })
    return () => {
      slices?.close()
      boundary.close()
    }
  })
}
