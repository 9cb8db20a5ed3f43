import {
  failRange,
  failType,
  foldIn,
  key,
  kindOf,
  leaves,
  type Shape,
  Tensor,
  type Tree,
} from '@tapeflow/autodiff'
import type { Subscriber } from 'rxjs'
import { act } from './act.ts'
import { type Boundary, boundary } from './boundary.ts'
import type { CallbackInfo } from './callbacks/callback.ts'
import type { Resumed, RunInfo, TrainEvent } from './events.ts'
import { metricList } from './metric-list.ts'
import { guarded, type Log, unfailing } from './monitors/guard.ts'
import { lossNames } from './objective.ts'
import type { RunOptions } from './options.ts'
import { isCompiled } from './options-together.ts'
import { type Pacing, pacing } from './pacing.ts'
import { type Opened, training } from './program.ts'
import { awaited, checked, close, failEmpty, given, type Pulling } from './reading.ts'
import { restoreAll } from './restore.ts'
import { freeRun, type Kept, parametersSnapshot, type RunState, runState } from './run-state.ts'
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
import { writer } from './writer.ts'

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
    act: (sourced) => (made.session === undefined ? [] : act(made.session, sourced)),
    wake: engine.wake,
  })
  const surroundings: Surroundings<P, S> = { options, recipe, boundary: around, engine, log }
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
  readonly log: Log
}

function* whole<P extends Tree, S extends Tree>(
  surroundings: Surroundings<P, S>,
  joined: (session: Session<P, S>) => void,
): Program {
  const { options, recipe, engine, log, boundary: around } = surroundings
  const { data, numerics, from, store } = options
  if (store !== undefined) yield* present(store.open())
  const saved = from === undefined ? null : isStore(from) ? yield* present(from.latest(log)) : from
  if (store !== undefined && beginsIn(store, from)) yield* present(requireEmpty(store, log))
  const seed = options.seed ?? saved?.seed ?? 0
  const programs = steps(recipe, isCompiled(options), numerics)
  const pull = data.iterate(0)
  const asks = pacing(options.pace, engine.wake)
  let handedOver = false
  let state: RunState<P, S> | null = null
  try {
    const pulled = pull.next()
    const arrived = checked(
      pulled instanceof Promise ? yield* awaited(pulled.then(given), () => false) : given(pulled),
    )
    if (arrived === undefined || arrived.done) failEmpty('data of epoch 0')
    const opened: Opened = { pull, first: arrived.value }
    const carry = programs.first(foldIn(key(seed), 'init'), opened.first)
    state = runState(seed, recipe, carry, numerics?.name ?? 'strict')
    const session = sessionOf(state, programs, asks, surroundings)
    // As they were drawn: what is restored is in another order.
    const info = infoOf(state, options, recipe, saved)
    if (saved !== null) goOn(session, saved)
    joined(session)
    around.join((callback, index) => ({ ...info, keep: keeper(session, `${index}.${callback.name}`) }))
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
  const isOver = ended !== null && isStore(options.from!) && (ended !== 'completed' || isComplete(session))
  run.ended = isOver ? ended : null
  session.expected = saved.programs
  session.resumes = true
  if (session.steps.compiled) session.inherited = saved.programs
}

function sessionOf<P, S>(
  run: RunState<P, S>,
  programs: Steps<P, S>,
  asks: Pacing | null,
  { options, recipe, boundary: around, engine, log }: Surroundings<P, S>,
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
    writer: options.store === undefined ? null : writer(options.store, log),
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
  { data, validation, epochs, steps: asked }: RunOptions<P, S>,
  { metrics, loss, trainStep }: Pick<Recipe<P, S>, 'metrics' | 'loss' | 'trainStep'>,
  saved: RunSnapshot | null,
): RunInfo {
  const parameters = Object.fromEntries(shapesIn(run.carry.params))
  const parameterCount = leaves(run.carry.params).reduce((count, { size }) => count + size, 0)
  const stepsPerEpoch = data.length
  return {
    seed: run.seed,
    epochs,
    steps: asked ?? (stepsPerEpoch === undefined ? undefined : stepsPerEpoch * epochs!),
    stepsPerEpoch,
    parameters,
    parameterCount,
    metrics: metrics.map(({ name }) => name),
    losses: loss === undefined || trainStep !== undefined ? [] : (lossNames(loss) ?? []),
    hasValidation: validation !== undefined,
    ...(saved === null ? {} : { resumed: resumedFrom(saved) }),
  }
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

/** @throws TypeError where a value cannot be in a snapshot: now, not at the first checkpoint */
function plain<V>(name: string, value: V): V {
  try {
    structuredClone(value)
    return value
  } catch {
    return failType('keep', `'${name}' must be plain data that can be cloned, got ${kindOf(value)}`)
  }
}

function keeper<P, S>({ run }: Session<P, S>, owner: string): CallbackInfo['keep'] {
  return <V>(name: string, initial: V): Kept<V> => {
    const path = `${owner}.${name}`
    if (run.kept.has(path)) failRange('keep', `'${name}' is kept already`, 'use each key once')
    // What the snapshot has under this path was kept by the same callback.
    const isSaved = Object.hasOwn(run.saved, path)
    const value = isSaved ? (structuredClone(run.saved[path]) as V) : plain(name, initial)
    const kept: Kept<V> = { value }
    run.kept.set(path, kept)
    return kept
  }
}
