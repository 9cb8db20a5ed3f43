import * as t from '@tapeflow/autodiff'
import { type RunState, replaceCarry } from './run-state.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'

/** Puts weights and layer state back. */
export function restoreParameters<P, S>(run: RunState<P, S>, from: ParametersSnapshot): void {
  const { params, state, slots } = run.carry
  replaceCarry(run, { ...revived({ params, state }, { params: from.params, state: from.state }), slots })
}

/** Puts everything back: the run goes on from there, at that place in the data. */
export function restoreAll<P, S>(run: RunState<P, S>, from: RunSnapshot): void {
  replaceCarry(run, revived(run.carry, { params: from.params, state: from.state, slots: from.slots }))
  run.machine.send({ type: 'restore', state: from.control })
  run.step = from.step
  run.epoch = from.epoch
  run.batch = from.batch
  run.sums = structuredClone(from.sums)
  for (const [name, value] of Object.entries(from.kept)) {
    const kept = run.kept.get(name)
    if (kept !== undefined) kept.value = structuredClone(value)
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

function shapesByPath(tree: unknown): Record<string, string> {
  const shapes: Record<string, string> = {}
  t.visitLeaves(tree, (leaf, path) => {
    if (leaf instanceof t.Tensor) shapes[path] = t.showShape(leaf.shape)
  })
  return shapes
}
