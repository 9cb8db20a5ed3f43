import * as t from '@tapeflow/autodiff'
import { type Machine, machine } from '@tapeflow/optim'
import { digestOf, type TrainBatch } from './batch.ts'
import type { EpochRecord, Measures, MetricValues } from './events.ts'
import type { OutputMetric } from './metric-list.ts'
import type { Shown } from './showing.ts'
import {
  copied,
  type NumericMode,
  type ParametersSnapshot,
  type RunSnapshot,
  type Sums,
} from './snapshots.ts'
import type { Carry, Recipe } from './step.ts'

/** A value that a callback keeps with the run: saved in snapshots, and back with them. */
export interface Kept<V> {
  value: V
}

/**
 * All of a run that changes from step to step. Only steps write to its tensors, and events pass before the next step: what an
 * event shows stays as it was until then. Whatever else changes the run replaces its tensors.
 */
export interface RunState<P, S> {
  readonly seed: number
  readonly numerics: NumericMode
  readonly stepKey: t.Key
  readonly machine: Machine
  readonly kept: Map<string, Kept<unknown>>
  readonly metrics: readonly OutputMetric[]
  carry: Carry<P, S>
  /** The tensors of `carry`. */
  owned: t.Tensor[]
  step: number
  epoch: number
  batch: number
  sums: RunningSums
  /** The rate of the last step. */
  learningRate: number
  /** The last number of each measure, by the name that callbacks monitor it by. */
  measured: Readonly<Record<string, number>>
  history: EpochRecord[]
  /** What the last step of the epoch was made with, or what is known of it where the run goes on from a snapshot. */
  lastBatch: TrainBatch | { readonly digest: number } | null
  /** Whether a validation is due that has not been done. */
  awaitsValidation: boolean
  /** The last one, and where it was done; null before the first. */
  lastValidation: RunSnapshot['lastValidation']
  /** The paths of the parameters that stay as they are, sorted. */
  frozen: readonly string[]
  /** Why no step will follow; null while one does. */
  ended: string | null
  /** What the callbacks of the snapshot kept that the run goes on from. */
  saved: RunSnapshot['kept']
  /** Tensors that the run has done with, but which the current event may still show. */
  readonly retired: t.Tensor[]
}

/** Where nothing is frozen. */
export const noPaths: readonly string[] = Object.freeze([])

/** The state of a run before its first step. It owns the tensors of `carry` from now on. */
export function runState<P, S>(
  seed: number,
  recipe: Recipe<P, S>,
  carry: Carry<P, S>,
  numerics: NumericMode,
  control: Machine = machine({}, { hyperparameters: recipe.optimizer.hyperparameters }),
): RunState<P, S> {
  return {
    seed,
    numerics,
    stepKey: t.foldIn(t.key(seed), 'step'),
    machine: control,
    kept: new Map(),
    metrics: recipe.metrics,
    carry,
    owned: t.leaves([carry.params, carry.state, carry.slots]),
    step: 0,
    epoch: 0,
    batch: 0,
    sums: noSums(recipe.metrics),
    learningRate: Number.NaN,
    measured: {},
    history: [],
    lastBatch: null,
    awaitsValidation: false,
    lastValidation: null,
    frozen: noPaths,
    ended: null,
    saved: {},
    retired: [],
  }
}

/** What an epoch has summed up so far, as it is added to. */
export type RunningSums = { -readonly [K in Exclude<keyof Sums, 'metrics'>]: Sums[K] } & {
  /** The state of each metric, in their order. */
  metrics: readonly unknown[]
}

/** An epoch before its first batch. */
export function noSums(metrics: readonly Pick<OutputMetric, 'init'>[]): RunningSums {
  return { loss: 0, losses: {}, weight: 0, rows: 0, metrics: metrics.map((metric) => metric.init()) }
}

/** Adds a batch's own of several losses. */
export function addLosses(
  sums: Pick<RunningSums, 'losses'>,
  losses: Readonly<Record<string, number>>,
  weight: number,
): void {
  if (losses === none) return
  const summed: Record<string, number> = {}
  for (const [name, value] of Object.entries(losses)) summed[name] = (sums.losses[name] ?? 0) + value * weight
  sums.losses = summed
}

/** The mean of each of several losses; nothing where there is one. */
export function lossValues({ losses, weight }: Pick<Sums, 'losses' | 'weight'>): Pick<Measures, 'losses'> {
  const values: Record<string, number> = {}
  for (const [name, sum] of Object.entries(losses)) values[name] = sum / weight
  return Object.keys(values).length === 0 ? {} : { losses: values }
}

/** What metrics come to. */
export function metricValues(metrics: readonly OutputMetric[], states: readonly unknown[]): MetricValues {
  if (metrics.length === 0) return none
  const values: Record<string, number> = {}
  for (let i = 0; i < metrics.length; i++) values[metrics[i]!.name] = metrics[i]!.result(states[i])
  return values
}

/** Where there are no metrics, and where there is one loss. */
export const none: Readonly<Record<string, number>> = Object.freeze({})

/** Puts another carry in the place of the run's; what the new one lacks is retired. Nothing happens where it is the same. */
export function replaceCarry<P, S>(run: RunState<P, S>, carry: Carry<P, S>): void {
  if (carry === run.carry) return
  const owned = t.leaves([carry.params, carry.state, carry.slots])
  const kept = new Set(owned)
  for (const x of run.owned) if (!kept.has(x)) run.retired.push(x)
  run.owned = owned
  run.carry = carry
}

/** Frees what is retired. */
export function freeRetired(run: Pick<RunState<unknown, unknown>, 'retired'>): void {
  for (const x of run.retired) x.dispose()
  run.retired.length = 0
}

/** Frees everything the run owns. */
export function freeRun(run: Pick<RunState<unknown, unknown>, 'retired' | 'owned'>): void {
  freeRetired(run)
  for (const x of run.owned) x.dispose()
}

/**
 * A copy of what a callback keeps.
 *
 * @param path the callback and the key: `earlyStopping.best`
 * @throws TypeError where it cannot be in a snapshot
 */
export function keptCopy<V>(path: string, value: V): V {
  try {
    return structuredClone(value)
  } catch {
    return t.failType('keep', `'${path}' must be plain data that can be cloned, got ${t.kindOf(value)}`)
  }
}

/** Weights and layer state as an event shows them, copied. */
export function parametersSnapshot<P, S>({ params, state }: Shown<P, S>['carry']): ParametersSnapshot<P, S> {
  return { params: copied(params), state: copied(state) }
}

/**
 * The whole run as it stands, copied.
 *
 * @param seconds that it has taken
 * @param programs what its steps are, by the shape of the batch
 */
export function runSnapshot<P, S>(
  run: RunState<P, S>,
  seconds: number,
  programs: RunSnapshot['programs'],
): RunSnapshot<P, S> {
  const { lastBatch, sums } = run
  const states = run.metrics.map(({ name }, i) => [name, sums.metrics[i]])
  return {
    ...parametersSnapshot(run.carry),
    slots: t.toSnapshot(run.carry.slots),
    step: run.step,
    epoch: run.epoch,
    batch: run.batch,
    seed: run.seed,
    numerics: run.numerics,
    control: run.machine.state,
    kept: Object.fromEntries([...run.kept].map(([path, { value }]) => [path, keptCopy(path, value)])),
    sums: structuredClone({ ...sums, metrics: Object.fromEntries(states) }),
    learningRate: run.learningRate,
    measured: run.measured,
    history: [...run.history],
    seconds,
    lastBatch: lastBatch === null ? null : 'digest' in lastBatch ? lastBatch.digest : digestOf(lastBatch),
    awaitsValidation: run.awaitsValidation,
    lastValidation: run.lastValidation,
    frozen: run.frozen,
    programs,
    ended: run.ended,
  }
}
