import * as t from '@tapeflow/autodiff'
import type { Batch } from '@tapeflow/data'
import type { TreeModel } from '@tapeflow/nn'
import { isObservable, type Observable } from 'rxjs'
import { type Batches, batchSourceOf, checkInput, type Field, rowsOf, tensorsOf } from './batch.ts'
import { type Check, checkEach, checkModel } from './check.ts'
import { stepFailureOf } from './failure.ts'
import { checkWeights, type HeldWeights, heldWeights, type ModelWeights } from './model-weights.ts'
import type { Values } from './objective.ts'
import { checks } from './options.ts'
import type { Pace } from './pace.ts'
import { pacing } from './pacing.ts'
import { checkPassMode, inSlices, logOf, type PassOptions, passChecks } from './passes.ts'
import { readThrough } from './read-through.ts'
import type { Program } from './slices.ts'
import { type Copied, copied } from './snapshots.ts'

/** A model of one or several inputs that gives any tree of tensors: a layer gives one, heads side by side (`parallel`) one each. */
export type PredictingModel<P, S, Y> = Pick<TreeModel<P, S, never, Y>, 'init' | 'apply'>

/** What is predicted from: an array with rows first, alone or as `x` among others; for a model of several inputs one for each. */
export type Input = Batch | { readonly x: Field }

/** What `predict` takes beside model and weights: `data`. */
export interface PredictOptions<B extends Input = Input> extends Omit<PassOptions, 'pace'> {
  /**
   * Batches with `x`, whatever else they hold, or plain arrays `{ shape, values }`: a dataset after `.batch(64)`, or an Observable of
   * them, whose batches are predicted as they come. Read once, as its epoch 0.
   */
  readonly data: Batches<B>
  /**
   * How it shares the thread, as in `fit`; or an Observable, each of whose values asks for one batch: so that a slow subscriber, as
   * `concatMap` is, is never ahead of itself. When it completes, the stream does, once what was asked for has been predicted.
   */
  readonly pace?: Pace | Observable<unknown>
}

const predictChecks = { ...passChecks, pace: checks.pace }

/** What a model says to one batch. */
export interface Prediction<Y, B extends Input = Input> {
  /** The batch's number, from 0 on. */
  readonly batch: number
  readonly rows: number
  /** `{ shape, values }` in the place of each tensor: copies, which may be kept. */
  readonly prediction: Copied<Y>
  /** The batch as the data gave it: its `y`, or whatever it was told apart by. */
  readonly input: B
}

/**
 * A stream of what a model says to each batch of data, in order: forward only, in inference mode (no dropout, moving averages).
 *
 *     data         a ------- b ------- c |
 *     predictions  { batch: 0, rows, prediction: f(a), input: a } - … |
 *
 * The stream is cold: each subscription reads the data from its start. Nothing is emitted inside `subscribe`; a batch is pulled
 * when the one before was emitted; work is done in slices, so a page stays responsive. Unsubscribing stops before the next batch.
 * A subscriber that takes its time (`concatMap`) lets predictions pile up, unless it asks for each, by `pace`:
 *
 *     const next = new BehaviorSubject(null)
 *     predict(model, weights, { data, pace: next }).pipe(concatMap((one) => save(one).then(() => next.next(null))))
 *
 * Nothing is left in the heap afterwards, whatever the end. All batches see the weights and the layer state that were passed.
 * Data without a batch gives an empty stream. `predictAll` gives all rows as one array.
 *
 * @param model a layer, or what has several outputs: `parallel({ mean, deviation })`
 * @param weights `{ params, state }`: what `await result(fit(…))` gives, or tensors, which stay the caller's and are neither
 * changed nor freed
 * @param options `data`; see PredictOptions for the others
 * @throws RangeError or TypeError at once where an option is unknown or wrong; as the stream's error where the weights are
 * another model's (names the path), where a batch has no `x`, and with what a batch fails with
 * @example
 * const model = sequential(linear(1, 1, { weight: ones }), tanh())
 * const { params, state } = model.init(t.key(1), [1])
 * const data = dataset({ x: { shape: [3, 1], values: Float32Array.of(-9, 0, 9) }, y: { shape: [3], values: Float32Array.of(7, 8, 9) } })
 * const seen = predict(model, { params, state }, { data: data.batch(2) }).pipe(
 *   map(({ prediction, input }) => [...prediction.values].map((value, i) => `${input.y.values[i]}: ${value.toFixed(1)}`)),
 *   toArray(),
 * )
 * await firstValueFrom(seen) // => [['7: -1.0', '8: 0.0'], ['9: 1.0']]
 */
export function predict<P, S, Y, B extends Input>(
  model: PredictingModel<P, S, Y>,
  weights: NoInfer<ModelWeights<P, S>>,
  options: PredictOptions<B>,
): Observable<Prediction<Y, B>> {
  return predictions('predict', predictChecks, model, weights, options)
}

/**
 * As `predict`, whichever function was called.
 *
 * @param known the options that it takes
 * @internal
 */
export function predictions<P, S, Y, B extends Input>(
  operation: string,
  known: Readonly<Record<string, Check>>,
  model: PredictingModel<P, S, Y>,
  weights: ModelWeights<P, S>,
  options: PredictOptions<B>,
): Observable<Prediction<Y, B>> {
  checkModel(operation, model)
  checkWeights(operation, weights)
  checkEach(operation, options, known, 'pass { data }')
  checkPassMode(operation, options)
  const { pace, ...rest } = options
  const slicing = pace === undefined || isObservable(pace) ? rest : { ...rest, pace }
  return inSlices<Prediction<Y, B>>(slicing, (emit, _, wake) =>
    predicting(operation, model, weights, options, emit, wake),
  )
}

function* predicting<P, S, Y, B extends Input>(
  operation: string,
  model: PredictingModel<P, S, Y>,
  weights: ModelWeights<P, S>,
  options: PredictOptions<B>,
  emit: (prediction: Prediction<Y, B>) => void,
  wake: () => void,
): Program {
  const { data, compile = true, pace } = options
  const forward = forwardOf(model, options)
  const held: { weights?: HeldWeights<P, S> } = {}
  const asks = pacing(pace, wake, operation)
  const take = (input: B, batch: number): void => {
    const x = checkInput(input, operation)
    held.weights ??= heldWeights(operation, model, weights, x)
    let prediction: Copied<Y>
    try {
      prediction = forward.run(held.weights, x)
    } catch (cause) {
      throw stepFailureOf(`batch ${batch}`, cause, compile, operation)
    }
    emit({ batch, rows: rowsOf({ x }), prediction, input })
  }
  try {
    yield* readThrough(batchSourceOf(data).iterate(0), take, { operation, log: logOf(options), pacing: asks })
  } finally {
    asks?.close()
    held.weights?.free()
    forward.dispose()
  }
}

interface Forward<P, S, Y> {
  run(weights: HeldWeights<P, S>, x: Field): Copied<Y>
  dispose(): void
}

function forwardOf<P, S, Y>(
  model: PredictingModel<P, S, Y>,
  { compile = true, numerics }: Pick<PassOptions, 'compile' | 'numerics'>,
): Forward<P, S, Y> {
  const pass = (params: P, state: S, x: Field | Values): Y =>
    // What the data has is what the model takes, or it says no.
    model.apply(params, state, tensorsOf(x) as never, { training: false, path: '' }).y
  if (!compile) {
    return {
      run: ({ params, state }, x) => t.scope(() => copied(pass(params, state, x))),
      dispose: () => {},
    }
  }
  const program: t.Compiled<[P, S, Field | Values], Y> = t.compile(pass, {
    reuse: true,
    ...(numerics === undefined ? {} : { numerics }),
  })
  return {
    run: ({ params, state }, x) => copied(program(params, state, x)),
    dispose: () => program.dispose(),
  }
}
