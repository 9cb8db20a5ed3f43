import { key, kindOf, type Numerics } from '@tapeflow/autodiff'
import type { Constrainer, Regularizer } from '@tapeflow/nn'
import type { Optimizer } from '@tapeflow/optim'
import { isObservable, type Observable, type SchedulerLike } from 'rxjs'
import { type Batches, type BatchSource, batchSourceOf } from './batch.ts'
import type { Callback } from './callbacks/callback.ts'
import {
  type Check,
  checkEach,
  checkModel,
  either,
  has,
  isCount,
  isFlag,
  isFunction,
  isNamed,
  isObserver,
  list,
  optional,
} from './check.ts'
import type { TrainCommand } from './commands.ts'
import { type Metrics, metricList } from './metric-list.ts'
import type { Log, Monitor } from './monitors/guard.ts'
import { type Objective, problemOfObjective } from './objective.ts'
import { checkTogether } from './options-together.ts'
import type { Pace } from './pace.ts'
import { requireSnapshot } from './require-snapshot.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Store } from './store.ts'
import type { TimeTravelOptions } from './time-travel.ts'
import type { BatchTensors, TrainStep } from './train-step.ts'
import { parseWatch, type WatchName } from './watch.ts'

/** When a run validates: one of the two. */
export type ValidateEvery =
  | { readonly epochs: number; readonly steps?: never }
  | { readonly steps: number; readonly epochs?: never }

/** What `fit` takes beside the model: `data`, `loss`, `optimizer`, and `epochs` or `steps`. */
export interface FitOptions {
  /**
   * Batches `{ x, y, weights? }`: a dataset after `.batch(64)`, read anew in each epoch. Or an Observable of batches, to learn
   * from what happens: `source$` stands for `fromObservable(source$)` of `@tapeflow/data`, which says how many batches may wait (64)
   * and what becomes of more (an error). An epoch of it lasts from its subscription to its completion; what waits while the
   * run is paused counts; no batch is read twice, so a run that is restored goes on with the next one. Where it completes, subscribed
   * to again, before its first batch, there is no more: the run ends, its reason is 'the live data is over', and with a new source it may go on `from` where it was.
   */
  readonly data: Batches
  /**
   * Batches too: read after each epoch, forward only. The loss is the mean of its batches' losses, which count as many times as they
   * have rows, or as their `weights` sum up to: a batch whose weights are all 0 counts for nothing. However the rows are batched,
   * that is the mean over them, where the loss of a batch is the mean over its rows, as it is by default. It depends on the size of
   * the batches with `classWeights`, where the loss of a batch is divided by the sum of its rows' class weights, and with
   * `reduction: 'sum'`, where larger batches have larger losses: compare such losses at one batch size. The same is true of the
   * epoch's loss. Metrics do not depend on it.
   */
  readonly validation?: BatchSource
  /**
   * When it is read: after every so many epochs, `{ epochs: 1 }` by default, within an epoch as its part, `{ epochs: 0.25 }` or
   * another 1/n, or after every so many steps, `{ steps: 500 }`. In any case after the last epoch.
   */
  readonly validateEvery?: ValidateEvery
  /** Whether the training data is read once more after each epoch, forward only, as at inference: no dropout. */
  readonly evaluateTraining?: boolean
  /** What is made small: a loss, or the sum of several by name, `{ mean: mse(), kind: { loss: crossEntropy(), weight: 0.5 } }`. */
  readonly loss: Objective
  readonly optimizer: Optimizer<string>
  /** What is measured; where the model has outputs by name, for each of them. */
  readonly metrics?: Metrics
  /** Penalties on weights, `regularize([…])`: gradients are those of loss and penalty, which step events tell apart. */
  readonly regularizers?: Regularizer
  /** What weights have to satisfy, `constrain([…])`: they are made to after each update. */
  readonly constraints?: Constrainer
  /** How often the data is read. */
  readonly epochs?: number
  /** How many steps are made, over as many epochs as that takes. */
  readonly steps?: number
  /** Parameters and noise are drawn from it; 0 by default. The order of the data is the data's own affair. */
  readonly seed?: number
  readonly callbacks?: readonly Callback[]
  /**
   * Observers that can neither end nor change the run: their first error is logged. A Subject is one, but what fails behind it goes to its
   * subscribers' `error`, and it has ended with its first run: for several runs pass `(event) => subject$.next(event)`.
   */
  readonly monitors?: readonly Monitor[]
  /**
   * What step events show beside the weights: `['gradients', 'gradientNorm', 'activations:**']`; nothing by default. A pattern that
   * matches no layer is an error of the first step.
   */
  readonly watch?: readonly WatchName[]
  /**
   * Whether steps run as programs: recorded once for each shape of batch, then replayed over memory of fixed places; true by
   * default. Model and loss are called while a step is recorded: they read no value, and what they use from outside is fixed
   * from then on. With false they are called at every step, eagerly: for models that read values, and to look inside. Both
   * give the same bits. Runs whose optimizer is `eager` (`lbfgs`) are eager by default, and cannot be otherwise.
   */
  readonly compile?: boolean
  /**
   * The numeric mode that these programs run in: `relaxed()` of `@tapeflow/autodiff/relaxed`, which is faster and rounds
   * otherwise. Left out it is strict, which gives the bits that eager steps give.
   */
  readonly numerics?: Numerics
  /** Commands from outside: a pause button. One that is wrong, or none, is refused, which its event tells. */
  readonly commands?: Observable<TrainCommand>
  /**
   * How the run shares its thread; or an Observable that asks for a step with each value: then the run waits for it before each
   * step, and stops when it has completed and what it asked for is done.
   */
  readonly pace?: Pace | Observable<unknown>
  /** Where the run goes on from: a snapshot, or the newest checkpoint of a store. With an empty store it begins. */
  readonly from?: RunSnapshot | Store
  /** Where checkpoints are written to while the run goes on, and how it ended. When there is one, callbacks say: `checkpointEvery`. */
  readonly store?: Store
  /**
   * With it the command `restore` takes any step that has been made, not checkpoints alone: from the nearest snapshot before it
   * the steps are made again, with all that was asked for meanwhile. Then the run goes on from there.
   */
  readonly timeTravel?: TimeTravelOptions
  /** Runs the slices and tells the time, in place of the platform: a TestScheduler makes time virtual. */
  readonly scheduler?: SchedulerLike
  /** Where errors of monitors and warnings go; `console.error` by default. */
  readonly log?: Log
}

/** What `fit` takes where the step is the user's own: `loss` is needed for validation only. */
export interface StepOptions<P, S, B = BatchTensors> extends Omit<FitOptions, 'loss' | 'regularizers'> {
  readonly loss?: Objective
  /** Does all of a step: forward, loss, gradients and update. Recorded and compiled as the usual one. */
  readonly trainStep: TrainStep<P, S, B>
}

/** Either. */
export type GivenOptions<P, S> = Omit<FitOptions, 'loss'> & {
  readonly loss?: Objective
  readonly trainStep?: TrainStep<P, S, never>
}

/** Either, with data as a source of batches. */
export type RunOptions<P, S> = GivenOptions<P, S> & { readonly data: BatchSource }

/** By the names of options. */
export const checks: { readonly [name in keyof GivenOptions<unknown, unknown>]-?: Check } = {
  data: (value) => (has(value, 'subscribe') ? undefined : source(value)),
  validation: optional(source),
  validateEvery: optional(validateEvery),
  evaluateTraining: either(isFlag, 'true or false'),
  loss: optional(problemOfObjective),
  trainStep: either(isFunction, 'a function'),
  optimizer: (value) => (has(value, 'init', 'update', 'hyper') ? undefined : 'must be an optimizer'),
  metrics: optional(metrics),
  regularizers: either(isFunction, 'regularize([…])'),
  constraints: either(isFunction, 'constrain([…])'),
  epochs: either(isCount, 'an integer from 1 on'),
  steps: either(isCount, 'an integer from 1 on'),
  seed: either((value) => isCount(value, 0), 'an integer from 0 on'),
  callbacks: optional(
    list(
      'callbacks',
      'callbacks with a name',
      (value) => has(value, 'run') && isNamed(value),
      (wrong) => {
        const remedy = 'pass it among monitors'
        if (isFunction(wrong)) return `call it, or ${remedy}`
        return isObserver(wrong) ? remedy : undefined
      },
    ),
  ),
  monitors: optional(
    list(
      'monitors',
      'functions or observers',
      (value) => isFunction(value) || isObserver(value),
      (wrong) => (has(wrong, 'run') ? 'pass it among callbacks' : 'pass a function of events, or { next }'),
    ),
  ),
  watch: optional((value) => {
    parseWatch(value)
    return undefined
  }),
  compile: either(isFlag, 'true or false'),
  numerics: either(
    (value) => has(value) && 'kernels' in value,
    'a numeric mode, relaxed() of @tapeflow/autodiff/relaxed',
  ),
  commands: either(isObservable, 'an Observable'),
  pace: optional((value) => (isObservable(value) ? undefined : problemOfPace(value))),
  from: optional((value) => {
    if (!has(value)) return 'must be a snapshot of a run, or a store'
    if (!has(value, 'latest')) requireSnapshot(value, 'from')
    return undefined
  }),
  timeTravel: optional(problemOfTimeTravel),
  store: either((value) => has(value, 'open', 'save', 'latest'), 'a store'),
  scheduler: either((value) => has(value, 'schedule', 'now'), 'a scheduler'),
  log: either(isFunction, 'a function'),
}

/**
 * Checks what was passed to `fit`, at once.
 *
 * @throws RangeError for a number out of range, an unknown option, or options that do not go together; TypeError for a wrong kind
 */
export function checkOptions<P, S>(model: unknown, options: GivenOptions<P, S>): void {
  checkModel('fit', model)
  checkEach('fit', options, checks, 'pass { data, loss, optimizer, epochs }')
  checkTogether({ ...options, data: batchSourceOf(options.data) })
  metricList(options.metrics)
  key(options.seed ?? 0)
}

const metricsOf = list(
  'metrics',
  'metrics with a name',
  (value) => has(value, 'init', 'update', 'result') && isNamed(value),
)

function metrics(value: unknown, operation: string): string | undefined {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return metricsOf(value, operation)
  const lists = Object.values(value)
  if (lists.length === 0 || !lists.every(Array.isArray)) return 'must be an array'
  for (const own of lists) metricsOf(own, operation)
  return undefined
}

function source(value: unknown): string | undefined {
  return has(value, 'iterate') ? undefined : 'must be a dataset'
}

function problemOfTimeTravel(value: unknown): string | undefined {
  const {
    every,
    keep = 16,
    ...others
  } = (typeof value === 'object' && value !== null ? value : {}) as Partial<TimeTravelOptions>
  if (!isCount(every) || Object.keys(others).length > 0) {
    return 'must be { every } with an integer from 1 on'
  }
  return isCount(keep, 2) ? undefined : 'needs an integer from 2 on for keep'
}

function validateEvery(value: unknown): string | undefined {
  const given = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const [name, every] = given[0] ?? []
  if (given.length !== 1 || (name !== 'epochs' && name !== 'steps')) return 'must be { epochs } or { steps }'
  if (isCount(every)) return undefined
  if (name === 'steps') return `needs an integer from 1 on for steps, got ${String(every)}`
  const parts = 1 / Number(every)
  const isPart = parts > 1 && Math.abs(parts - Math.round(parts)) < 1e-6
  return isPart ? undefined : `needs an integer from 1 on for epochs, or 1/n, got ${String(every)}`
}

/** What is wrong with a pace in milliseconds, if anything is. */
export function problemOfPace(value: unknown): string | undefined {
  // A promise and a date have no fields, as `{}` has none.
  if (typeof value !== 'object' || value === null || kindOf(value) !== 'an object') {
    return 'must be { budget, rest }'
  }
  for (const [name, number] of Object.entries(value)) {
    if (name !== 'budget' && name !== 'rest') return `has only budget and rest, got ${name}`
    if (typeof number !== 'number' || !(number >= 0)) {
      return `needs milliseconds from 0 on for ${name}, got ${typeof number === 'number' ? number : kindOf(number)}`
    }
  }
  return undefined
}
