import { foldIn, key, leaves, paths, type Shape, type Tree } from '@tapeflow/autodiff'
import type { Observer, Subscriber } from 'rxjs'
import { act } from './act.ts'
import { type Boundary, boundary } from './boundary.ts'
import type { RunInfo, TrainEvent } from './events.ts'
import { guarded, type Log } from './monitors/guard.ts'
import type { FitOptions } from './options.ts'
import { type Opened, training } from './program.ts'
import { close, failEmpty, next } from './reading.ts'
import { freeRun, parametersSnapshot, type RunState, runSnapshot, runState } from './run-state.ts'
import type { Session } from './session.ts'
import type { Program } from './slices.ts'
import { type Model, type Recipe, type Steps, steps } from './step.ts'
import { stopwatch } from './stopwatch.ts'
import type { TakeSnapshot } from './showing.ts'
import { parseWatch } from './watch.ts'

/** The platform around a run. */
export interface Surroundings {
  readonly now: () => number
  /** Puts a run that waits or holds back to work. */
  readonly wake: () => void
}

/**
 * One run from its subscription to its end: opens the data, draws the parameters, lets the callbacks join, trains, and
 * frees everything, however it ends.
 */
export function* run<P extends Tree, S extends Tree, K extends string>(
  model: Model<P, S>,
  options: FitOptions<K>,
  owner: Subscriber<TrainEvent<P, S>>,
  surroundings: Surroundings,
): Program {
  const log: Log = options.log ?? ((message, error) => console.error(message, error))
  const { data, loss, optimizer, metrics = [], seed = 0 } = options
  const recipe: Recipe<P, S, K> = { model, loss, optimizer, metrics, watch: parseWatch(options.watch) }
  const programs = steps(recipe)
  let session: Session<P, S, K> | null = null
  const around = boundary<P, S>({
    owner,
    callbacks: options.callbacks ?? [],
    commands: options.commands,
    monitors: (options.monitors ?? []).map((monitor, i) => guarded(monitor, `monitor ${i}`, log)),
    act: (sourced) => (session === null ? [] : act(session, sourced)),
    wake: surroundings.wake,
  })
}
