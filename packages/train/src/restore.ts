import * as t from '@tapeflow/autodiff'
import type { Optimizer } from '@tapeflow/optim'
import { frozen } from './frozen.ts'
import type { Log } from './monitors/guard.ts'
import { requireParameters, requireSnapshot } from './require-snapshot.ts'
import { noSums, type RunningSums, type RunState, replaceCarry } from './run-state.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import { shapesByPath } from './tree-shapes.ts'

/**
 * Puts weights and layer state back. Before the first step the optimizer begins with them, as it did with those drawn: averages of
 * weights begin there.
 *
 * @throws TypeError where `from` is no snapshot, RangeError where it is one of another model: the run is as it was
 */
export function restoreParameters<P, S>(
  run: RunState<P, S>,
  from: ParametersSnapshot,
  optimizer: Pick<Optimizer<string>, 'init'>,
): void {
  requireParameters(from)
  const { params, state, slots } = run.carry
  const carry = t.scope(() => {
    const made = revived({ params, state }, { params: from.params, state: from.state })
    // Of the very shapes that the run's slots were made for: still a tree.
    return { ...made, slots: run.step === 0 ? optimizer.init(made.params as P & t.Tree) : slots }
  })
  replaceCarry(run, carry)
}

/**
 * Puts everything back: the run goes on from there, at that place in the data.
 *
 * @param log is told where the run goes on in another numeric mode
 * @throws TypeError where `from` is no snapshot of a run, RangeError where it is one of another model, optimizer or metrics:
 * the run is as it was
 */
export function restoreAll<P, S>(run: RunState<P, S>, from: RunSnapshot, log: Log): void {
  requireRun(run, from)
  const { params, state, slots, control } = from
  const carry = t.scope(() => {
    const made = revived(run.carry, { params, state, slots })
    // The last that can be refused: up to here nothing has changed.
    run.machine.send({ type: 'restore', state: control })
    return made
  })
  replaceCarry(run, carry)
  run.step = from.step
  run.epoch = from.epoch
  run.batch = from.batch
  run.sums = sumsOf(run, from)
  run.learningRate = from.learningRate
  // The snapshot is somebody else's.
  const { measured, history, lastValidation } = frozen(
    structuredClone({ measured: from.measured, history: from.history, lastValidation: from.lastValidation }),
  )
  run.measured = measured
  run.history = [...history]
  run.lastBatch = from.lastBatch === null ? null : { digest: from.lastBatch }
  run.awaitsValidation = from.awaitsValidation
  run.lastValidation = lastValidation
  run.frozen = Object.freeze([...from.frozen])
  run.saved = from.kept
  for (const [name, value] of Object.entries(from.kept)) {
    const kept = run.kept.get(name)
    if (kept !== undefined) kept.value = structuredClone(value)
  }
  if (from.numerics !== run.numerics) {
    const warning = 'fit: the run goes on in another numeric mode than its snapshot was made in'
    log(warning, `${run.numerics}, not ${from.numerics}`)
  }
}

function requireRun<P, S>(run: RunState<P, S>, from: RunSnapshot): void {
  requireSnapshot(from)
  for (const name of ['step', 'epoch', 'batch'] as const) {
    if (Number.isSafeInteger(from[name]) && from[name] >= 0) continue
    t.failRange(
      'fit',
      `the ${name} of the snapshot to restore must be an integer from 0 on, got ${from[name]}`,
    )
  }
  if (from.batch === 0) return
  const given = Object.keys(from.sums.metrics ?? {})
    .sort()
    .join(', ')
  const wanted = namesOf(run).sort().join(', ')
  if (given !== wanted) {
    t.failRange(
      'fit',
      `the snapshot to restore was taken within an epoch with the metrics ${given || '(none)'}, the run has ${wanted || '(none)'}`,
      "pass the same metrics to fit, restore parameters alone, or a snapshot of an epoch's start",
    )
  }
}

function namesOf({ metrics }: Pick<RunState<unknown, unknown>, 'metrics'>): string[] {
  return metrics.map(({ name }) => name)
}

/** What the epoch of a snapshot had summed up. At an epoch's start that is nothing, whatever the metrics were. */
function sumsOf(run: Pick<RunState<unknown, unknown>, 'metrics'>, { batch, sums }: RunSnapshot): RunningSums {
  if (batch === 0) return noSums(run.metrics)
  const { metrics, ...others } = structuredClone(sums)
  return { ...others, metrics: namesOf(run).map((name) => metrics[name]) }
}

/**
 * The tree that `saved` is a snapshot of.
 *
 * @param like what the run has in its place: of the same paths and shapes
 * @throws RangeError where they differ: names the path
 */
function revived<T>(like: T, saved: unknown): T {
  const tree: unknown = t.scope(() => {
    const made = t.fromSnapshot(saved)
    const found = shapesByPath(made)
    const wanted = shapesByPath(like)
    for (const path of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
      if (wanted[path] === found[path]) continue
      t.failRange(
        'fit',
        `the snapshot to restore has ${found[path] ?? 'nothing'} at '${path}', the run has ${wanted[path] ?? 'nothing'}`,
        'restore what was taken of the same model and optimizer',
      )
    }
    return made
  })
  // Checked: a tensor wherever `like` has one.
  return tree as T
}
