import { failRange, foldIn, key, type Shape, Tensor, type Tree, visitLeaves } from '@tapeflow/autodiff'
import type { Subscriber } from 'rxjs'
import { act } from './act.ts'
import { type Boundary, boundary } from './boundary.ts'
import type { CallbackInfo } from './callbacks/callback.ts'
import type { RunInfo, TrainEvent } from './events.ts'
import { guarded, type Log, unfailing } from './monitors/guard.ts'
import { type FitOptions, isCompiled } from './options.ts'
import { type Opened, training } from './program.ts'
import { awaited, checked, close, failEmpty } from './reading.ts'
import { freeRun, type Kept, parametersSnapshot, type RunState, runSnapshot, runState } from './run-state.ts'
import type { Session } from './session.ts'
import type { Shown } from './showing.ts'
import type { Program } from './slices.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import type { Model, Recipe } from './step.ts'
import { type Steps, steps } from './steps.ts'
import { stopwatch } from './stopwatch.ts'
import { parseWatch } from './watch.ts'

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
  model: Model<P, S>,
  options: FitOptions,
  owner: Subscriber<TrainEvent<P, S>>,
  engine: Engine,
): Run<P, S> {
  const log = unfailing(options.log ?? console.error)
  const { loss, optimizer, metrics = [], regularizers, constraints } = options
  const watch = parseWatch(options.watch)
  const recipe: Recipe<P, S> = { model, loss, optimizer, metrics, watch, regularizers, constraints }
  const made: { session?: Session<P, S> } = {}
  const around = boundary<P, S>({
    owner,
    callbacks: options.callbacks ?? [],
    commands: options.commands,
    monitors: (options.monitors ?? []).map((monitor, i) => guarded(monitor, `monitor ${i}`, log)),
    act: (sourced) => (made.session === undefined ? [] : act(made.session, sourced)),
    wake: engine.wake,
  })
  const started = (state: RunState<P, S>, programs: Steps<P, S>): Session<P, S> => {
    made.session = sessionOf(state, programs, recipe, options, around, engine, log)
    return made.session
  }
  return { program: whole(options, recipe, started, log), boundary: around }
}

function* whole<P extends Tree, S extends Tree>(
  options: FitOptions,
  recipe: Recipe<P, S>,
  started: (state: RunState<P, S>, programs: Steps<P, S>) => Session<P, S>,
  log: Log,
): Program {
  const { data, seed = 0, numerics } = options
  const programs = steps(recipe, isCompiled(options), numerics)
  const pull = data.iterate(0)
  let handedOver = false
  let state: RunState<P, S> | null = null
  try {
    const pulled = pull.next()
    const arrived = checked(pulled instanceof Promise ? yield* awaited(pulled, () => false) : pulled)
    if (arrived === undefined || arrived.done) failEmpty('data of epoch 0')
    const opened: Opened = { pull, first: arrived.value }
    const carry = programs.first(foldIn(key(seed), 'init'), opened.first)
    state = runState(seed, recipe, carry, numerics?.name ?? 'strict')
    const session = started(state, programs)
    const info = infoOf(state, options)
    session.boundary.join((callback, index) => ({
      ...info,
      keep: keeper(session, `${index}.${callback.name}`),
    }))
    session.run.machine.send({ type: 'begin' })
    handedOver = true
    yield* training(session, info, opened)
  } finally {
    if (!handedOver) close(pull, log)
    if (state !== null) freeRun(state)
    programs.dispose()
  }
}

function sessionOf<P, S>(
  run: RunState<P, S>,
  programs: Steps<P, S>,
  recipe: Recipe<P, S>,
  options: FitOptions,
  around: Boundary<P, S>,
  { now, isDue }: Engine,
  log: Log,
): Session<P, S> {
  function take(shown: Shown<P, S>, what: 'all'): RunSnapshot<P, S>
  function take(shown: Shown<P, S>, what: 'parameters'): ParametersSnapshot<P, S>
  function take(
    shown: Shown<P, S>,
    what: 'all' | 'parameters',
  ): RunSnapshot<P, S> | ParametersSnapshot<P, S> {
    return what === 'all' ? runSnapshot(run) : parametersSnapshot(shown.carry)
  }
  return {
    options,
    recipe,
    steps: programs,
    run,
    boundary: around,
    flow: { phase: 'training', stop: null, paused: false, rewound: false },
    time: stopwatch(now),
    isDue,
    take,
    checkpoints: new Map(),
    history: [],
    log,
    learningRate: Number.NaN,
    rows: 0,
    since: 0,
  }
}

function infoOf<P, S>(
  run: RunState<P, S>,
  { data, validation, epochs, steps: asked, metrics = [] }: FitOptions,
): RunInfo {
  const parameters: Record<string, Shape> = {}
  let parameterCount = 0
  visitLeaves(run.carry.params, (leaf, path) => {
    if (!(leaf instanceof Tensor)) return
    parameters[path] = leaf.shape
    parameterCount += leaf.size
  })
  const stepsPerEpoch = data.length
  return {
    seed: run.seed,
    epochs,
    steps: asked ?? (stepsPerEpoch === undefined ? undefined : stepsPerEpoch * epochs!),
    stepsPerEpoch,
    parameters,
    parameterCount,
    metrics: metrics.map(({ name }) => name),
    hasValidation: validation !== undefined,
  }
}

function keeper<P, S>({ run }: Session<P, S>, owner: string): CallbackInfo['keep'] {
  return <V>(name: string, initial: V): Kept<V> => {
    const path = `${owner}.${name}`
    if (run.kept.has(path)) failRange('keep', `'${name}' is kept already`, 'use each key once')
    const kept: Kept<V> = { value: initial }
    run.kept.set(path, kept)
    return kept
  }
}
