import type { Boundary } from './boundary.ts'
import type { EpochRecord, TrainEvent } from './events.ts'
import type { Log } from './monitors/guard.ts'
import type { RunOptions } from './options.ts'
import { freeRetired, type RunState } from './run-state.ts'
import type { Shown, TakeSnapshot } from './showing.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Recipe } from './step.ts'
import type { Steps } from './steps.ts'
import type { Stopwatch } from './stopwatch.ts'

/** What commands have decided about the course of a run. */
export interface Flow {
  phase: 'training' | 'finishing' | 'ended'
  /** Why no further step is made; null while there is one. */
  stop: string | null
  paused: boolean
  /** The place in the data was changed: the pass being read is given up. */
  rewound: boolean
}

/** A run from its first batch on: what the program and the commands share. */
export interface Session<P, S> {
  readonly options: RunOptions
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
  readonly history: EpochRecord[]
  readonly log: Log
  /** The rate of the last step. */
  learningRate: number
  /** Where `samplesPerSecond` counts from: the rows of this epoch's steps, and when they began. */
  rows: number
  since: number
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
