import { failRange, foldIn, key, leaves, type Shape, Tensor, type Tree } from '@tapeflow/autodiff'
import type { Subscriber } from 'rxjs'
import { act, isDeferred, isIdle } from './act.ts'
import { type Boundary, boundary } from './boundary.ts'
import type { Callback, CallbackInfo } from './callbacks/callback.ts'
import type { Resumed, RunInfo, TrainEvent } from './events.ts'
import { frozen } from './frozen.ts'
import { metricList } from './metric-list.ts'
import { guarded, type Log, unfailing } from './monitors/guard.ts'
import { lossNames } from './objective.ts'
import type { RunOptions } from './options.ts'
import { isCompiled } from './options-together.ts'
import { type Pacing, pacing } from './pacing.ts'
import { dataIsOver, type Opened, training } from './program.ts'
import { awaited, checked, close, failEmpty, given, type Pulling } from './reading.ts'
import { restoreAll } from './restore.ts'
import { freeRun, type Kept, keptCopy, parametersSnapshot, type RunState, runState } from './run-state.ts'
import { isComplete, type Session, snapshotOf } from './session.ts'
import type { Shown } from './showing.ts'
import type { Program } from './slices.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import type { Model, NamedModel, Recipe } from './step.ts'
import { type Steps, steps } from './steps.ts'
import { stopwatch } from './stopwatch.ts'
import type { Store } from './store.ts'
import { timeTravel } from './time-travel.ts'
import { parseWatch } from './watch.ts'
import { type Writer, writer } from './writer.ts'

/** A run that has been prepared: nothing is read and no tensor made before its program starts. */
export interface Run<P, S> {
  readonly program: Program
  readonly boundary: Boundary<P, S>
}

/** What drives a run's program. */
export interface Engine {
  /** In milliseconds. */
  now(): number
  /** Whether the program has to yield. */
  isDue(): boolean
  /** Puts a program that waits or holds back to work. */
  wake(): void
}

/**
 * One run from its subscription to its end. The program opens the data, draws the parameters, lets the callbacks join,
 * trains, and frees everything, however it ends.
 *
 * @param engine what drives the program
 */
export function prepareRun<P extends Tree, S extends Tree>(
  model: Model<P, S> | NamedModel<P, S>,
  options: RunOptions<P, S>,
  owner: Subscriber<TrainEvent<P, S>>,
  engine: Engine,
): Run<P, S> {
  const log = unfailing(options.log ?? console.error)
  const { loss, trainStep, optimizer, regularizers, constraints } = options
  const metrics = metricList(options.metrics)
  const watch = parseWatch(options.watch)
  const recipe: Recipe<P, S> = {
    model,
    loss,
    // What the data has is what it was written for.
    trainStep: trainStep as Recipe<P, S>['trainStep'],
    optimizer,
    metrics,
    watch,
    regularizers,
    constraints,
  }
  const made: { session?: Session<P, S> } = {}
  const around = boundary<P, S>({
    owner,
    callbacks: options.callbacks ?? [],
    commands: options.commands,
    monitors: (options.monitors ?? []).map((monitor, i) => guarded(monitor, `monitor ${i}`, log)),
    isIdle: (sourced) => made.session === undefined || isIdle(made.session, sourced),
    isDeferred: (sourced) => isDeferred(made.session!, sourced),
    defer: (waiting) => made.session!.deferred.push(...waiting),
    act: (sourced) => act(made.session!, sourced),
    tooLate: ({ command, source, lenient }) => {
      // The outside may ask at any time, and a run that has ended has stopped.
      if (lenient || command.type === 'stop') return
      const remedy = 'answer finishing while it is handled, not out of a promise'
      log(`fit: callback '${source}' sent '${command.type}' when the run had ended: nothing was done`, remedy)
    },
    wake: engine.wake,
  })
  const { store } = options
  const written = store === undefined ? null : writer(store, log)
  const surroundings: Surroundings<P, S> = { options, recipe, boundary: around, engine, writer: written, log }
  const joined = (session: Session<P, S>): void => {
    made.session = session
  }
  return { program: whole(surroundings, joined), boundary: around }
}

/** What a run has before it begins. */
interface Surroundings<P, S> {
  readonly options: RunOptions<P, S>
  readonly recipe: Recipe<P, S>
  readonly boundary: Boundary<P, S>
  readonly engine: Engine
  /** Null where there is no store. */
  readonly writer: Writer | null
  readonly log: Log
}

/** The run, which has its store open until nothing is to be written any more. */
function* whole<P extends Tree, S extends Tree>(
  surroundings: Surroundings<P, S>,
  joined: (session: Session<P, S>) => void,
): Program {
  const { options, writer: written, log } = surroundings
  const { from, store } = options
  try {
    if (store !== undefined) yield* present(store.open(written!))
    const saved = from === undefined ? null : isStore(from) ? yield* present(from.latest(log)) : from
    if (store !== undefined && beginsIn(store, from)) yield* present(requireEmpty(store, log))
    yield* fromDataOn(surroundings, saved, joined)
  } finally {
    written?.close()
  }
}

function* fromDataOn<P extends Tree, S extends Tree>(
  surroundings: Surroundings<P, S>,
  saved: RunSnapshot | null,
  joined: (session: Session<P, S>) => void,
): Program {
  const { options, recipe, engine, log, boundary: around } = surroundings
  const { data, numerics } = options
  const seed = options.seed ?? saved?.seed ?? 0
  const programs = steps(recipe, isCompiled(options), numerics)
  const pull = data.iterate(0)
  const asks = pacing(options.pace, engine.wake)
  let handedOver = false
  let state: RunState<P, S> | null = null
  try {
    const pulled = pull.next()
    const arrived = checked(
      pulled instanceof Promise ? yield* awaited(pulled.then(given), around.isStopAsked) : given(pulled),
    )
    if (arrived === undefined) {
      failRange('fit', 'stopped before the data gave its first batch', 'there are no parameters yet')
    }
    if (arrived.done && data.live === true && saved !== null) {
      failRange('fit', 'the live data gave no batch to go on with', 'go on when there is more')
    }
    if (arrived.done) failEmpty('data of epoch 0')
    const opened: Opened = { pull, first: arrived.value }
    const carry = programs.first(foldIn(key(seed), 'init'), opened.first)
    state = runState(seed, recipe, carry, numerics?.name ?? 'strict')
    const session = sessionOf(state, programs, asks, surroundings)
    // As they were drawn: what is restored is in another order.
    const info = infoOf(state, options, recipe, saved)
    if (saved !== null) goOn(session, saved)
    joined(session)
    around.join((_, index) => ({ ...info, log, keep: keeper(session, ownerOf(options.callbacks!, index)) }))
    tellLost(session)
    if (saved === null) state.machine.send({ type: 'begin' })
    handedOver = true
    yield* training(session, info, opened)
  } finally {
    if (!handedOver) close(pull, log)
    asks?.close()
    if (state !== null) freeRun(state)
    programs.dispose()
  }
}

/** What a promise gives: to be waited for, whatever comes meanwhile. */
function* present<T>(promise: Promise<T>): Pulling<T> {
  const found = yield* awaited(
    promise.then((value) => ({ value })),
    () => false,
  )
  return found!.value
}

/** Whether what a store has is of no run that goes on: none does, or one from another store. A snapshot may be any run's. */
function beginsIn(store: Store, from: RunSnapshot | Store | undefined): boolean {
  return from === undefined || (isStore(from) && from !== store && from.name !== store.name)
}

/** A new run would push the checkpoints of the one before out of the store. */
async function requireEmpty(store: Store, log: Log): Promise<void> {
  const found = await store.latest(log)
  if (found === null) return
  failRange(
    'fit',
    `the store ${store.name} has a run already, up to step ${found.step}`,
    'pass from: store to go on with it, or another store to begin anew',
  )
}

function isStore(from: RunSnapshot | Store): from is Store {
  return 'latest' in from && typeof from.latest === 'function'
}

/** Brings a run to where its snapshot was taken. One that had ended, and has nothing more to do, stays ended. */
function goOn<P, S>(session: Session<P, S>, saved: RunSnapshot): void {
  const { run, options, time, flow, log } = session
  restoreAll(run, saved, log)
  time.advance(saved.seconds)
  flow.rewound = options.data.live !== true
  const { ended } = saved
  const goesOn = (ended === 'completed' || ended === dataIsOver) && !isComplete(session)
  const isOver = ended !== null && isStore(options.from!) && !goesOn
  run.ended = isOver ? ended : null
  session.expected = saved.programs
  session.resumes = true
  if (session.steps.compiled) session.inherited = saved.programs
}

function sessionOf<P, S>(
  run: RunState<P, S>,
  programs: Steps<P, S>,
  asks: Pacing | null,
  { options, recipe, boundary: around, engine, writer: written, log }: Surroundings<P, S>,
): Session<P, S> {
  function take(shown: Shown<P, S>, what: 'all'): RunSnapshot<P, S>
  function take(shown: Shown<P, S>, what: 'parameters'): ParametersSnapshot<P, S>
  function take(
    shown: Shown<P, S>,
    what: 'all' | 'parameters',
  ): RunSnapshot<P, S> | ParametersSnapshot<P, S> {
    return what === 'all' ? snapshotOf(session) : parametersSnapshot(shown.carry)
  }
  const session: Session<P, S> = {
    options,
    recipe,
    steps: programs,
    run,
    boundary: around,
    flow: { phase: 'training', stop: null, paused: false, replay: null, rewound: false },
    time: stopwatch(engine.now),
    isDue: engine.isDue,
    take,
    checkpoints: new Map(),
    writer: written,
    pacing: asks,
    travel: options.timeTravel === undefined ? null : timeTravel(options.timeTravel),
    deferred: [],
    log,
    expected: null,
    resumes: false,
    inherited: {},
    rows: 0,
    since: 0,
  }
  return session
}

function infoOf<P, S>(
  run: RunState<P, S>,
  { data, validation, evaluateTraining, epochs, steps: asked }: RunOptions<P, S>,
  { metrics, loss, trainStep, regularizers }: Recipe<P, S>,
  saved: RunSnapshot | null,
): RunInfo {
  const parameters = Object.fromEntries(shapesIn(run.carry.params))
  const parameterCount = leaves(run.carry.params).reduce((count, { size }) => count + size, 0)
  const stepsPerEpoch = Number.isFinite(data.length) ? data.length : undefined
  return frozen({
    seed: run.seed,
    epochs,
    steps: asked ?? (stepsPerEpoch === undefined ? undefined : stepsPerEpoch * epochs!),
    stepsPerEpoch,
    parameters,
    parameterCount,
    metrics: metrics.map(({ name }) => name),
    losses: loss === undefined || trainStep !== undefined ? [] : (lossNames(loss) ?? []),
    hasPenalty: regularizers !== undefined,
    evaluatesTraining: evaluateTraining === true,
    hasValidation: validation !== undefined,
    ...(saved === null ? {} : { resumed: structuredClone(resumedFrom(saved)) }),
  })
}

function resumedFrom(saved: RunSnapshot): Resumed {
  const { batch, history, awaitsValidation, lastValidation, ended, frozen } = saved
  return { batch, history, awaitsValidation, lastValidation, ended, frozen }
}

/** The shape of each tensor by its path, in the order in which the tree was made: trees that were mapped are sorted. */
function shapesIn(tree: unknown, path = ''): readonly (readonly [path: string, shape: Shape])[] {
  if (tree instanceof Tensor) return [[path, tree.shape]]
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([key, inner]) => shapesIn(inner, path === '' ? key : `${path}.${key}`))
}

/** A callback's name; with its number where others before it have the same: `checkpointEvery#2`. */
function ownerOf(callbacks: readonly Callback[], index: number): string {
  const { name } = callbacks[index]!
  const before = callbacks.slice(0, index).filter((other) => other.name === name).length
  return before === 0 ? name : `${name}#${before + 1}`
}

/** Tells of what callbacks kept that no callback has asked for. */
function tellLost<P, S>({ run, log }: Session<P, S>): void {
  const lost = Object.keys(run.saved).filter((path) => !run.kept.has(path))
  if (lost.length === 0 || run.ended !== null) return
  log(
    'fit: no callback asks for what others kept in the snapshot: it is lost; pass the callbacks that it was taken with',
    lost.join(', '),
  )
}

function keeper<P, S>({ run }: Session<P, S>, owner: string): CallbackInfo['keep'] {
  return <V>(name: string, initial: V): Kept<V> => {
    const path = `${owner}.${name}`
    if (run.kept.has(path)) failRange('keep', `'${name}' is kept already`, 'use each key once')
    // What the snapshot has under this path was kept by the same callback.
    const isSaved = Object.hasOwn(run.saved, path)
    const value = isSaved ? (structuredClone(run.saved[path]) as V) : initial
    // Now, not at the first checkpoint.
    keptCopy(path, value)
    const kept: Kept<V> = { value }
    run.kept.set(path, kept)
    return kept
  }
}
