import * as t from '@tapeflow/autodiff'
import type { Measure } from '@tapeflow/nn'
import type { Optimizer } from '@tapeflow/optim'
import { type Batches, batchSourceOf, requireEnd } from './batch.ts'
import { type Check, checkEach, checkModel } from './check.ts'
import { evaluation } from './evaluation.ts'
import { stepFailureOf } from './failure.ts'
import { type Measuring, measureList, type OutputMeasure } from './metric-list.ts'
import { checkWeights, type HeldWeights, heldWeights, type ModelWeights } from './model-weights.ts'
import type { Objective } from './objective.ts'
import { checks } from './options.ts'
import {
  checkPassMode,
  checkSignal,
  inSlices,
  logOf,
  type PassOptions,
  passChecks,
  promised,
} from './passes.ts'
import { lossValues } from './run-state.ts'
import type { Program } from './slices.ts'
import type { NamedModel, Recipe } from './step.ts'
import { steps } from './steps.ts'
import { stopwatch } from './stopwatch.ts'
import { parseWatch } from './watch.ts'

/** What `evaluate` takes beside model and weights: `data`, and `loss` or `metrics`, or both. */
export interface EvaluateOptions<M extends Measuring = Measuring> extends PassOptions {
  /** Batches `{ x, y, weights? }`: a dataset after `.batch(64)`, or an Observable. Read once, as its epoch 0. */
  readonly data: Batches
  /** A loss, or several by name, as for `fit`. */
  readonly loss?: Objective
  /** Metrics, and other measures: matrices, curves, reports. Where the model has outputs by name, those of each of them. */
  readonly metrics?: M
  /** Gives up when it aborts: the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

/** What comes out of these measures. */
export type ResultsOf<M extends Measuring> = Readonly<Record<string, ResultOf<M[keyof M]>>>
type ResultOf<A> =
  A extends Measure<unknown, infer R>
    ? R
    : A extends readonly (infer U)[]
      ? U extends Measure<unknown, infer R>
        ? R
        : never
      : never

/** How a model does on data. */
export interface Evaluation<M extends Measuring = Measuring> {
  /**
   * Mean over the batches, which count as many times as they have rows, or as their weights sum up to; with `classWeights` or
   * `reduction: 'sum'` it depends on their size, see `validation` of `fit`. NaN without a loss, and where all weights are 0.
   */
  readonly loss: number
  /** Each of several losses, unweighted; not there where there is one. */
  readonly losses?: Readonly<Record<string, number>>
  /** By the names of the metrics; those of an output have its name before theirs: `mean.r2`. */
  readonly metrics: ResultsOf<M>
  readonly rows: number
  readonly seconds: number
}

const evaluateChecks: Readonly<Record<keyof EvaluateOptions, Check>> = {
  ...passChecks,
  loss: checks.loss,
  metrics: checks.metrics,
  signal: checkSignal,
}

/**
 * Loss and metrics of a model over data: forward only, in inference mode (no dropout, moving averages).
 *
 * It measures as the validation of `fit` does, and gives the same bits: the loss is the mean over batches, weighted by rows
 * or by their `weights`. So the size of batches makes no difference but for a loss with `classWeights` or `reduction: 'sum'`. All batches see the weights and the layer state that were passed. Work is done in slices, so a page
 * stays responsive; nothing is left in the heap afterwards, whatever the end.
 *
 * @param model what was trained
 * @param weights `{ params, state }`: what `await result(fit(…))` gives, `event.snapshot('parameters')`, or tensors, which stay
 * the caller's and are neither changed nor freed
 * @param options `data`, and `loss` or `metrics` or both; see EvaluateOptions for the others
 * @returns a promise of `{ loss, metrics, rows, seconds }`. It rejects with a RangeError where options do not fit, the data is
 * empty, or the weights are another model's (which names the path), with a TypeError for a wrong kind, with what a batch fails with,
 * and with the reason of `signal`
 * @example
 * const data = dataset({ x: { shape: [3, 1], values: Float32Array.of(1, 2, 3) }, y: { shape: [3, 1], values: Float32Array.of(2, 4, 9) } })
 * const weights = { params: { weight: t.tensor([[2]]), bias: t.tensor([0]) }, state: null }
 * const found = await evaluate(linear(1, 1), weights, { data: data.batch(2), loss: mse(), metrics: [meanAbsoluteError()] })
 * found.loss // => 3
 * found.metrics // => { meanAbsoluteError: 1 }
 * found.rows // => 3
 */
export function evaluate<P, S, const M extends Measuring = readonly []>(
  model: NamedModel<P, S>,
  weights: NoInfer<ModelWeights<P, S>>,
  options: EvaluateOptions<M>,
): Promise<Evaluation<M>> {
  return new Promise((resolve) => {
    checkModel('evaluate', model)
    checkWeights('evaluate', weights)
    checkEvaluate(options)
    const found$ = inSlices<Evaluation<M>>(options, (emit, now) =>
      evaluating(model, weights, options, emit, now),
    )
    resolve(promised(found$, options.signal))
  })
}

function checkEvaluate(options: EvaluateOptions): void {
  checkEach('evaluate', options, evaluateChecks, 'pass { data, loss }')
  const measures = measureList('evaluate', options.metrics ?? [])
  if (options.loss === undefined && measures.length === 0)
    t.failRange('evaluate', 'loss or metrics must be given, got neither', 'pass loss: mse()')
  checkPassMode('evaluate', options)
  requireEnd('evaluate', 'data', batchSourceOf(options.data))
}

function* evaluating<P, S, M extends Measuring>(
  model: NamedModel<P, S>,
  weights: ModelWeights<P, S>,
  options: EvaluateOptions<M>,
  emit: (found: Evaluation<M>) => void,
  now: () => number,
): Program {
  const { compile = true, numerics } = options
  const time = stopwatch(now)
  const measures = measureList<unknown>('evaluate', options.metrics ?? [])
  const recipe = recipeOf(model, options.loss, measures)
  // What does not make trees is refused before the first batch.
  const programs = steps(recipe as unknown as Recipe<P & t.Tree, S & t.Tree>, compile, numerics)
  const held: { weights?: HeldWeights<P, S> } = {}
  try {
    const sums = yield* evaluation<P, S>(batchSourceOf(options.data).iterate(0), {
      steps: programs,
      metrics: measures,
      carry: ({ x }) => {
        held.weights ??= heldWeights('evaluate', model, weights, x)
        return { ...held.weights, slots: {} }
      },
      failed: (number, cause) => stepFailureOf(`batch ${number}`, cause, compile, 'evaluate'),
      what: 'data',
      operation: 'evaluate',
      log: logOf(options),
    })
    // Nobody gives it up but by leaving the program.
    if (sums === null) return
    const results = measures.map((measure, i) => [measure.name, measure.result(sums.metrics[i])])
    emit({
      loss: sums.loss / sums.weight,
      ...lossValues(sums),
      // By name what each of them comes to.
      metrics: Object.fromEntries(results) as ResultsOf<M>,
      rows: sums.rows,
      seconds: time.seconds(),
    })
  } finally {
    held.weights?.free()
    programs.dispose()
  }
}

/** As for a run of which only the validation is made. */
function recipeOf<P, S>(
  model: NamedModel<P, S>,
  loss: Objective | undefined,
  measures: readonly OutputMeasure[],
): Recipe<P, S> {
  return {
    model,
    loss,
    trainStep: undefined,
    optimizer: noOptimizer,
    // What they come to need not be a number: it is asked for at the end.
    metrics: measures.map((measure) => ({ ...measure, result: () => Number.NaN })),
    watch: parseWatch(),
    regularizers: undefined,
    constraints: undefined,
  }
}

const noOptimizer: Optimizer<string> = {
  name: 'none',
  hyperparameters: [],
  init: () => ({}),
  update: (_, slots, params) => ({ params, slots }),
  hyper: () => ({}),
}
