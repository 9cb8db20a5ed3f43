import { Key, type Numerics, type Snapshot, type Tensor, toSnapshot } from '@tapeflow/autodiff'
import type { MachineState } from '@tapeflow/optim'
import type { EpochRecord, Located, Measures } from './events.ts'

/** A tree with `{ shape, values }` in the place of each tensor; nothing is known of one whose type is not. */
export type Copied<P> = P extends Tensor
  ? Snapshot
  : P extends Key | number | null
    ? P
    : P extends object
      ? { [K in keyof P]: Copied<P[K]> }
      : unknown

/** A copy of a tree, outside of the heap. */
export function copied<P>(tree: P): Copied<P> {
  const copy: unknown = toSnapshot(tree)
  // toSnapshot replaces each tensor and nothing else.
  return copy as Copied<P>
}

/** A copy of a snapshot: nothing that can be changed is in both. */
export function copyOf<V>(snapshot: V): V {
  const { params, state, slots, ...others } = snapshot as Partial<RunSnapshot>
  const copy: unknown = {
    params: copiedTree(params),
    state: copiedTree(state),
    ...(slots === undefined ? {} : { slots: copiedTree(slots) }),
    ...structuredClone(others),
  }
  // Each thing in it is one like that in its place.
  return copy as V
}

// Keys never change, and would lose their class.
function copiedTree(tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || tree instanceof Key) return tree
  if (ArrayBuffer.isView(tree)) return structuredClone(tree)
  if (Array.isArray(tree)) return tree.map(copiedTree)
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, copiedTree(inner)]))
}

/** Weights and layer state outside of the heap: plain data. */
export interface ParametersSnapshot<P = unknown, S = unknown> {
  readonly params: Copied<P>
  readonly state: Copied<S>
}

/** What an epoch has summed up so far. */
export interface Sums {
  /** Sum of the batches' losses, each times its weight. */
  readonly loss: number
  /** The same of each of several losses. */
  readonly losses: Readonly<Record<string, number>>
  /** Sum of the weights: rows, where the batches carry none. */
  readonly weight: number
  readonly rows: number
  /** The state of each metric by its name. */
  readonly metrics: Readonly<Record<string, unknown>>
}

/** The numeric mode of a run by name. */
export type NumericMode = 'strict' | Numerics['name']

/** A whole run outside of the heap: plain data, from which it can go on as if nothing had been. */
export interface RunSnapshot<P = unknown, S = unknown> extends ParametersSnapshot<P, S> {
  /** The optimizer's slots by name, each a tree like the parameters. */
  readonly slots: unknown
  /** The number of the next step: how many have been made. */
  readonly step: number
  readonly epoch: number
  /** The number of the next batch in that epoch. */
  readonly batch: number
  readonly seed: number
  /** The numeric mode that its steps were made in: where it goes on in another one, `log` is told. */
  readonly numerics: NumericMode
  /** What commands have done to the learning rate and other hyperparameters. */
  readonly control: MachineState
  /** What callbacks keep, by callback and key: `earlyStopping.best`; of the second of one name `earlyStopping#2.best`. */
  readonly kept: Readonly<Record<string, unknown>>
  readonly sums: Sums
  /** The rate of the last step; NaN before the first. */
  readonly learningRate: number
  /** The last number of each measure by the name that callbacks monitor it by: `epoch.loss`, `validation.accuracy`. */
  readonly measured: Readonly<Record<string, number>>
  readonly history: readonly EpochRecord[]
  /** Since the run began, pauses left out. */
  readonly seconds: number
  /** A digest of the last batch, by which a run that goes on knows its data again; null where the epoch has had none. */
  readonly lastBatch: number | null
  /** Whether a validation is due that had not been done. */
  readonly awaitsValidation: boolean
  /** The last validation, and where it was done; null before the first. */
  readonly lastValidation: (Located & Measures) | null
  /** The paths of the parameters that stay as they are. */
  readonly frozen: readonly string[]
  /** What the programs of its steps are, by the shape of the batch; empty where steps are eager. */
  readonly programs: Readonly<Record<string, string>>
  /** Why the run ended: `completed`, or what the `stop` command said; null while it goes on. */
  readonly ended: string | null
}
