import type { Shape, Tensor } from '@tapeflow/autodiff'
import type { TrainCommand } from './commands.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import type { Watched } from './watched.ts'

/** Numbers by the names of the metrics that were passed to `fit`. */
export type MetricValues = Readonly<Record<string, number>>

/** What data came to: loss and metrics, means weighted by rows. */
export interface Measures {
  readonly loss: number
  /** Each of several losses, unweighted; not there where there is one. */
  readonly losses?: Readonly<Record<string, number>>
  readonly metrics: MetricValues
}

/**
 * Where an event stands. On a `step` event `step` is that step's number, from 0 on; on every other event it is the next
 * one's, which is how many steps have been made.
 */
export interface Located {
  readonly step: number
  readonly epoch: number
}

/**
 * What can be read of the run's tensors while an event is handled; afterwards a StaleSnapshotError is thrown. These are getters and methods of the
 * event, so that a copy, `{ ...event }`, has its numbers and none of them: pass the event on, or put it into a new object, `{ event, more }`.
 */
export interface Showing<P, S> {
  /** The weights: on a step event those after its update. */
  readonly weights: Watched<P>
  /**
   * A copy for the command `restore`: of the whole run as it stands now (what callbacks keep, and the rate that they ask for, is what it
   * was before they heard this event, if they come later; a monitor and the command `checkpoint` take their copies after all of them);
   * or of the weights and layer state that this event shows.
   */
  snapshot(): RunSnapshot<P, S>
  snapshot(what: 'all'): RunSnapshot<P, S>
  snapshot(what: 'parameters'): ParametersSnapshot<P, S>
}

/** What is known of a run before its first step. */
export interface RunInfo {
  readonly seed: number
  /** How many epochs were asked for; undefined where steps were. */
  readonly epochs: number | undefined
  /** How many steps the run will make; undefined where the data does not know its length, or has no end. */
  readonly steps: number | undefined
  /** How many batches an epoch has; undefined where the data does not know its length, or has no end. */
  readonly stepsPerEpoch: number | undefined
  /** The shape of each parameter by its path, in the order in which the model's `init` made them: `{ 'layers.0.weight': [784, 128] }`. */
  readonly parameters: Readonly<Record<string, Shape>>
  readonly parameterCount: number
  /** Names of several losses; empty where there is one, and where a training step names its own. */
  readonly losses: readonly string[]
  /** Names of the metrics. */
  readonly metrics: readonly string[]
  /** Whether steps have a penalty, with `regularizers`. */
  readonly hasPenalty: boolean
  /** Whether epochs have `training`. */
  readonly evaluatesTraining: boolean
  readonly hasValidation: boolean
  /** Where the run stands that goes on from a snapshot; not there in one that begins. */
  readonly resumed?: Resumed
}

/** What a run that goes on has behind it. */
export type Resumed = Pick<
  RunSnapshot,
  'batch' | 'history' | 'awaitsValidation' | 'lastValidation' | 'ended' | 'frozen'
>

/** The first event: the parameters have been drawn. */
export interface StartEvent extends Located {
  readonly type: 'start'
  readonly info: RunInfo
}

/** One optimizer step. Loss and gradients are at the weights before it, weights after it. */
export interface StepEvent<P = unknown, S = unknown> extends Located, Showing<P, S> {
  readonly type: 'step'
  /** The batch's number in the epoch, from 0 on. */
  readonly batch: number
  /** How many rows the batch had. */
  readonly rows: number
  /** This batch's own loss. */
  readonly loss: number
  /** Each of several losses, unweighted; empty where there is one. */
  readonly losses: Readonly<Record<string, number>>
  /** What the weights cost beside the loss, with `regularizers`; 0 without. It is in no other number. */
  readonly penalty: number
  /** Mean loss over the epoch so far, weighted by rows. */
  readonly runningLoss: number
  /** The rate that this step was made with. */
  readonly learningRate: number
  /** Metrics over the epoch so far. */
  readonly metrics: MetricValues
  /** Since the run began, pauses left out. */
  readonly seconds: number
  /** Over the epoch so far. */
  readonly samplesPerSecond: number
  /** With watch: ['gradients']. */
  readonly gradients: Watched<P>
  /** Euclidean norm of all gradients together, with watch: ['gradientNorm']. */
  readonly gradientNorm: number
  /** Layer outputs by layer path, with watch: ['activations:**']. */
  readonly activations: Watched<Readonly<Record<string, Tensor>>>
}

/**
 * An epoch has ended, or the last one of `steps` was made within it. Loss and metrics are means over its training batches. A run that is
 * stopped within an epoch tells nothing of that: its steps are in the snapshot, and the epoch is told whole when the run goes on.
 */
export interface EpochEvent<P = unknown, S = unknown> extends Located, Measures, Showing<P, S> {
  readonly type: 'epoch'
  readonly batches: number
  readonly rows: number
  /** With `evaluateTraining`: the training data once more, at the weights as they are now, as at inference. */
  readonly training?: Measures
  /** The last one within the epoch, with `validateEvery`. */
  readonly validation?: Measures
  /** Whether a validation follows before the next step. */
  readonly validates: boolean
  readonly learningRate: number
  readonly seconds: number
  readonly samplesPerSecond: number
}

/** The validation data has been read once, with the weights as they are. Loss and metrics are weighted by rows. */
export interface ValidationEvent<P = unknown, S = unknown> extends Located, Measures, Showing<P, S> {
  readonly type: 'validation'
  readonly rows: number
  readonly seconds: number
}

/** A command was acted on, or, where it came from outside and was wrong, `refused` says why not. */
export interface CommandEvent extends Located {
  readonly type: 'command'
  /** `{ type: 'malformed', problem }` in the place of what is none, such as `{ type: 'stopp' }`. */
  readonly command: TrainCommand
  /** The callback's name, or `commands`. */
  readonly source: string
  readonly refused?: string
}

/** A snapshot was kept in the run: the answer to the command `checkpoint`. Who looks at it gets a copy, and each monitor its own. */
export interface CheckpointEvent<P = unknown, S = unknown> extends Located {
  readonly type: 'checkpoint'
  readonly snapshot: RunSnapshot<P, S>
}

/** No step will follow. Commands that answer it act before `end`: the place to restore the best weights. */
export interface FinishingEvent<P = unknown, S = unknown> extends Located, Showing<P, S> {
  readonly type: 'finishing'
  readonly reason: string
}

/** What an epoch came to: one entry of `history`. */
export interface EpochRecord extends Measures {
  readonly epoch: number
  readonly learningRate: number
  readonly seconds: number
  /** With `evaluateTraining`: the training data once more, at the weights of the epoch's end, as at inference. */
  readonly training?: Measures
  /** The last validation of the epoch. */
  readonly validation?: Measures
}

/** The last event: the result is plain data outside of the heap. Who looks at it gets a copy, and each monitor its own. */
export interface EndEvent<P = unknown, S = unknown> extends Located {
  readonly type: 'end'
  /** `completed`, what the `stop` command said, or `the live data is over`. */
  readonly reason: string
  readonly result: RunSnapshot<P, S>
  /** One entry an epoch, each frozen. */
  readonly history: readonly EpochRecord[]
}

/**
 * What a diagnostic saw and what to try: once when an illness begins, and again only after the run has been well. It comes out of
 * the operators in diagnostics/; `fit` itself emits none.
 */
export interface DiagnosticEvent extends Located {
  readonly type: 'diagnostic'
  /** The diagnostic's name: `vanishingGradient`. */
  readonly name: string
  /** The layer, where it is about one: `layers.0`. */
  readonly path?: string
  /** What was measured. */
  readonly value: number
  /** The limit that it passed. */
  readonly threshold: number
  /** One sentence: what is seen, and what to try. */
  readonly advice: string
}

/** What `fit` emits. */
export type TrainEvent<P = unknown, S = unknown> =
  | StartEvent
  | StepEvent<P, S>
  | EpochEvent<P, S>
  | ValidationEvent<P, S>
  | CommandEvent
  | CheckpointEvent<P, S>
  | FinishingEvent<P, S>
  | EndEvent<P, S>
