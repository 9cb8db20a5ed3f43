import { failRange, failType, foldIn, key, kindOf, type Tree } from '@tapeflow/autodiff'
import type { Machine } from '@tapeflow/optim'
import { advance, type Stepping } from './advance.ts'
import { checkBatch, type TrainBatch } from './batch.ts'
import type { StepEvent } from './events.ts'
import { metricList } from './metric-list.ts'
import { checkOptions, type FitOptions, type RunOptions, type StepOptions } from './options.ts'
import { isCompiled } from './options-together.ts'
import { restoreAll } from './restore.ts'
import { freeRetired, freeRun, parametersSnapshot, runSnapshot, runState } from './run-state.ts'
import type { PassingStep } from './showing.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Model, NamedModel, Recipe } from './step.ts'
import { type Steps, steps } from './steps.ts'
import { stopwatch } from './stopwatch.ts'
import type { BatchTensors } from './train-step.ts'
import { parseWatch } from './watch.ts'

// What a loop takes of what `fit` takes: all that says what a step is.
const names = [
  'loss',
  'trainStep',
  'optimizer',
  'metrics',
  'regularizers',
  'constraints',
  'seed',
  'watch',
  'compile',
  'numerics',
  'log',
] as const

type LoopNames = Exclude<(typeof names)[number], 'trainStep'>

interface LoopOwn {
  /** Where the loop goes on from. */
  readonly from?: RunSnapshot
  /** Steers the rate and other numbers of the optimizer: `machine()` of `@tapeflow/optim`; one that nobody moves by default. */
  readonly control?: Machine
}

/** What `trainLoop` takes beside the model and the batches: what `fit` takes to know what a step is. */
export type LoopOptions = Pick<FitOptions, LoopNames> & LoopOwn

/** The same, with a training step of one's own. */
export type LoopStepOptions<P, S, B = BatchTensors> = Pick<
  StepOptions<P, S, B>,
  'trainStep' | Exclude<LoopNames, 'regularizers'>
> &
  LoopOwn

/**
 * The fold that `fit` is made of, for loops of one's own: a step for each batch, and for each step what `fit` would tell of it. There
 * are no epochs, callbacks or pauses: what happens between two steps is written between two turns of the loop.
 *
 * The first batch is taken when the loop begins: then parameters are drawn. An event shows its tensors until the next step. When the
 * loop ends, is left by `break`, or throws, nothing of it is left in the heap: what is to be kept is `step.snapshot()`, which
 * `fit` and another loop go on `from`.
 *
 * @param model a layer, or a model of several inputs or outputs
 * @param batches `{ x, y, weights? }`: a dataset after `.batch(64)`, or any other iterable; an asynchronous one gives an
 * asynchronous loop
 * @param options `loss`, `optimizer`, and of the options of `fit` those that say what a step is
 * @returns what to loop over; its return value is the snapshot of the end, null without a batch
 * @throws RangeError or TypeError at once where an option is unknown or wrong, as `fit` does; in the loop what goes wrong there
 * @example
 * const data = dataset({ x: { shape: [4, 1], values: Float32Array.of(1, 2, 3, 4) }, y: { shape: [4, 1], values: Float32Array.of(2, 4, 6, 8) } })
 * const control = machine()
 * let last
 * for (const step of trainLoop(linear(1, 1), data.batch(4).repeat(500), { loss: mse(), optimizer: sgd({ learningRate: 0.05 }), control })) {
 *   if (step.step === 100) control.send({ type: 'setLearningRate', value: 0.01 })
 *   last = step.loss
 *   if (last < 1e-3) break
 * }
 * last < 0.1 // => true
 */
export function trainLoop<P extends Tree, S extends Tree>(
  model: Model<P, S>,
  batches: Iterable<TrainBatch>,
  options: LoopOptions | LoopStepOptions<P, S>,
): Generator<StepEvent<P, S>, RunSnapshot<P, S> | null, void>
export function trainLoop<P extends Tree, S extends Tree>(
  model: NamedModel<P, S>,
  batches: Iterable<TrainBatch>,
  options: LoopOptions | LoopStepOptions<P, S, never>,
): Generator<StepEvent<P, S>, RunSnapshot<P, S> | null, void>
export function trainLoop<P extends Tree, S extends Tree>(
  model: Model<P, S> | NamedModel<P, S>,
  batches: AsyncIterable<TrainBatch>,
  options: LoopOptions | LoopStepOptions<P, S, never>,
): AsyncGenerator<StepEvent<P, S>, RunSnapshot<P, S> | null, void>
export function trainLoop<P extends Tree, S extends Tree>(
  model: Model<P, S> | NamedModel<P, S>,
  batches: Iterable<TrainBatch> | AsyncIterable<TrainBatch>,
  options: LoopOptions | LoopStepOptions<P, S, never>,
):
  | Generator<StepEvent<P, S>, RunSnapshot<P, S> | null, void>
  | AsyncGenerator<StepEvent<P, S>, RunSnapshot<P, S> | null, void> {
  checkLoop(model, options)
  if (isIterable(batches)) return loop(loopOf(model, options), batches)
  if (isAsyncIterable(batches)) return asyncLoop(loopOf(model, options), batches)
  return failType('trainLoop', `batches must be iterable, got ${kindOf(batches)}`, 'pass data.batch(32)')
}

function* loop<P, S>(
  run: Loop<P, S>,
  batches: Iterable<TrainBatch>,
): Generator<StepEvent<P, S>, RunSnapshot<P, S> | null, void> {
  try {
    for (const batch of batches) {
      const event = run.step(batch)
      yield event
      event.pass()
    }
    return run.end()
  } finally {
    run.free()
  }
}

async function* asyncLoop<P, S>(
  run: Loop<P, S>,
  batches: AsyncIterable<TrainBatch>,
): AsyncGenerator<StepEvent<P, S>, RunSnapshot<P, S> | null, void> {
  try {
    for await (const batch of batches) {
      const event = run.step(batch)
      yield event
      event.pass()
    }
    return run.end()
  } finally {
    run.free()
  }
}

/** The state that is folded, and the step that folds a batch into it. */
interface Loop<P, S> {
  step(batch: TrainBatch): PassingStep<P, S>
  end(): RunSnapshot<P, S> | null
  free(): void
}

function loopOf<P extends Tree, S extends Tree>(
  model: Model<P, S> | NamedModel<P, S>,
  options: LoopOptions | LoopStepOptions<P, S, never>,
): Loop<P, S> {
  const { from, control, log = console.error, numerics, ...given } = options
  const recipe: Recipe<P, S> = {
    ...given,
    model,
    trainStep: ('trainStep' in given ? given.trainStep : undefined) as Recipe<P, S>['trainStep'],
    loss: given.loss,
    metrics: metricList(given.metrics),
    watch: parseWatch(given.watch),
    regularizers: 'regularizers' in given ? given.regularizers : undefined,
    constraints: given.constraints,
  }
  const seed = given.seed ?? from?.seed ?? 0
  let programs: Steps<P, S> | null = null
  let stepping: Stepping<P, S> | null = null
  let shown: PassingStep<P, S> | null = null
  // Of batches that have not come again the programs are those that the snapshot knew.
  const whole = ({ run, time, steps: made }: Stepping<P, S>): RunSnapshot<P, S> =>
    runSnapshot(run, time.seconds(), { ...from?.programs, ...made.programs() })
  const begun = (first: TrainBatch): Stepping<P, S> => {
    programs = steps(recipe, isCompiled(given), numerics)
    const carry = programs.first(foldIn(key(seed), 'init'), first)
    const run = runState(seed, recipe, carry, numerics?.name ?? 'strict', control)
    const time = stopwatch(() => performance.now())
    const take = ((at, what) =>
      what === 'all' ? whole(stepping!) : parametersSnapshot(at.carry)) as Stepping<P, S>['take']
    stepping = { run, steps: programs, recipe, time, take, log, expected: null, rows: 0, since: 0 }
    if (from !== undefined) {
      restoreAll(run, from, log)
      time.advance(from.seconds)
      stepping.since = time.seconds()
      stepping.expected = from.programs
    }
    return stepping
  }
  return {
    step: (batch) => {
      checkBatch(batch)
      const made = stepping ?? begun(batch)
      freeRetired(made.run)
      shown = advance(made, batch)
      return shown
    },
    end: () => (stepping === null ? null : whole(stepping)),
    free: () => {
      shown?.pass()
      if (stepping !== null) freeRun(stepping.run)
      programs?.dispose()
    },
  }
}

function checkLoop<P, S>(model: unknown, options: LoopOptions | LoopStepOptions<P, S, never>): void {
  if (typeof options !== 'object' || options === null) {
    failType('trainLoop', `options must be an object, got ${kindOf(options)}`, 'pass { loss, optimizer }')
  }
  const { from, control, ...given } = options
  for (const name of Object.keys(given)) {
    if ((names as readonly string[]).includes(name)) continue
    failRange('trainLoop', `unknown option '${name}'`, `use ${[...names, 'from', 'control'].join(', ')}`)
  }
  if (control !== undefined && typeof control.send !== 'function') {
    failType('trainLoop', `control must be a machine, got ${kindOf(control)}`, 'pass machine()')
  }
  if (from !== undefined && from !== null && 'latest' in Object(from)) {
    failType('trainLoop', 'from must be a snapshot, got a store', 'pass await store.latest()')
  }
  const data = { iterate: () => ({ next: () => ({ done: true as const, value: undefined }) }) }
  checkOptions(model, { ...given, ...(from === undefined ? {} : { from }), data, steps: 1 } as RunOptions<
    P,
    S
  >)
}

function isIterable(batches: unknown): batches is Iterable<TrainBatch> {
  return typeof batches === 'object' && batches !== null && Symbol.iterator in batches
}

function isAsyncIterable(batches: unknown): batches is AsyncIterable<TrainBatch> {
  return typeof batches === 'object' && batches !== null && Symbol.asyncIterator in batches
}
