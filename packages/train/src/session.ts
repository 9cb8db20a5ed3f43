import type { Boundary } from './boundary.ts'
import type { Sourced } from './commands.ts'
import type { Measures, TrainEvent } from './events.ts'
import { frozen } from './frozen.ts'
import { numbersOf } from './measures.ts'
import type { Log } from './monitors/guard.ts'
import type { RunOptions } from './options.ts'
import type { Pacing } from './pacing.ts'
import { freeRetired, type RunState, runSnapshot } from './run-state.ts'
import type { Shown, TakeSnapshot } from './showing.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Recipe } from './step.ts'
import type { Steps } from './steps.ts'
import type { Stopwatch } from './stopwatch.ts'
import type { TimeTravel } from './time-travel.ts'
import type { Writer } from './writer.ts'

/** What commands have decided about the course of a run. */
export interface Flow {
  phase: 'training' | 'finishing' | 'ended'
  /** Why no further step is made; null while there is one. */
  stop: string | null
  paused: boolean
  /** From where to where steps are made again that a restore has gone behind, whatever is paused; null where none are. */
  replay: { readonly from: number; readonly to: number } | null
  /** The place in the data was changed: the pass being read is given up. */
  rewound: boolean
}

/** A run from its first batch on: what the program and the commands share. */
export interface Session<P, S> {
  readonly options: RunOptions<P, S>
  readonly recipe: Recipe<P, S>
  readonly steps: Steps<P, S>
  readonly run: RunState<P, S>
  readonly boundary: Boundary<P, S>
  readonly flow: Flow
  readonly time: Stopwatch
  /** Whether others have waited long enough for their turn. */
  readonly isDue: () => boolean
  readonly take: TakeSnapshot<P, S>
  readonly checkpoints: Map<number, RunSnapshot<P, S>>
  /** Where checkpoints are written to; null where there is no store. */
  readonly writer: Writer | null
  /** Who asks for steps; null where the run goes on by itself. */
  readonly pacing: Pacing | null
  /** The way that it has come; null where nobody wants to go back. */
  readonly travel: TimeTravel<P, S> | null
  /** What came from outside while steps were made again. */
  deferred: Sourced[]
  readonly log: Log
  /** What the steps of the snapshot were that the run goes on from, until those of its own have been compared; null then. */
  expected: RunSnapshot['programs'] | null
  /** What they were for batches that this run has not seen yet. */
  inherited: RunSnapshot['programs']
  /** Whether the run goes on from a snapshot of another, and has not yet come to its place in the data. */
  resumes: boolean
  /** Where `samplesPerSecond` counts from: the rows of this epoch's steps, and when they began. */
  rows: number
  since: number
}

/** The whole run as it stands, copied. */
export function snapshotOf<P, S>({ run, time, steps, inherited }: Session<P, S>): RunSnapshot<P, S> {
  return runSnapshot(run, time.seconds(), { ...inherited, ...steps.programs() })
}

/** Whether there is no further step to make. */
export function isComplete<P, S>({ run, options }: Session<P, S>): boolean {
  return options.epochs === undefined ? run.step >= options.steps! : run.epoch >= options.epochs
}

/** Notes what was measured, by the names that callbacks monitor it by. */
export function measure(
  run: { measured: RunSnapshot['measured'] },
  place: 'epoch' | 'training' | 'validation',
  found: Measures,
): void {
  const measured: Record<string, number> = { ...run.measured }
  for (const [name, value] of Object.entries(numbersOf(found))) measured[`${place}.${name}`] = value
  run.measured = frozen(measured)
}

/** Rows a second. */
export function rate(rows: number, seconds: number): number {
  return seconds > 0 ? rows / seconds : 0
}

/** What events show between steps: parameters, and nothing of a step. */
export function shownNow<P, S>({ run }: Session<P, S>): Shown<P, S> {
  return { carry: run.carry, gradients: null, squares: null, activations: null }
}

/** Shows an event to everyone. What it showed is gone afterwards, whatever happens. */
export function show<P, S>(
  { boundary, run }: Session<P, S>,
  event: TrainEvent<P, S> & { pass?(): void },
): void {
  try {
    boundary.deliver(event)
  } finally {
    event.pass?.()
    freeRetired(run)
  }
}
