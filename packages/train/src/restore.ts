import * as t from '@tapeflow/autodiff'
import type { Log } from './monitors/guard.ts'
import { requireParameters, requireSnapshot } from './require-snapshot.ts'
import { type RunState, replaceCarry } from './run-state.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import { shapesByPath } from './tree-shapes.ts'

/**
 * Puts weights and layer state back.
 *
 * @throws TypeError where `from` is no snapshot, RangeError where it is one of another model: the run is as it was
 */
export function restoreParameters<P, S>(run: RunState<P, S>, from: ParametersSnapshot): void {
  requireParameters(from)
  const { params, state, slots } = run.carry
  replaceCarry(run, { ...revived({ params, state }, { params: from.params, state: from.state }), slots })
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
  run.sums = structuredClone(from.sums)
  run.learningRate = from.learningRate
  run.measured = from.measured
  run.history = [...from.history]
  run.lastBatch = from.lastBatch === null ? null : { digest: from.lastBatch }
  run.awaitsValidation = from.awaitsValidation
  run.lastValidation = from.lastValidation
  run.frozen = from.frozen
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
  const [given, wanted] = [from.sums.metrics?.length, run.sums.metrics.length]
  if (given !== wanted) {
    t.failRange(
      'fit',
      `the snapshot to restore was taken with ${given} metrics, the run has ${wanted}`,
      'pass the same metrics to fit, or restore parameters alone',
    )
  }
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
