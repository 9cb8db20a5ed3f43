import * as t from '@tapeflow/autodiff'
import { type RunState, replaceCarry } from './run-state.ts'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'
import type { Carry } from './step.ts'

/** Puts weights and layer state back. Structure and shapes must be those of the run. */
export function restoreParameters<P, S, K extends string>(
  run: RunState<P, S, K>,
  from: ParametersSnapshot,
): void {
  const { params, state, slots } = run.carry
  replaceCarry(run, revived({ params, state }, { params: from.params, state: from.state }, { slots }))
}

/** Puts everything back: the run goes on from there, at that place in the data. */
export function restoreAll<P, S, K extends string>(run: RunState<P, S, K>, from: RunSnapshot): void {
  const { params, state, slots } = run.carry
  const saved = { params: from.params, state: from.state, slots: from.slots }
  replaceCarry(run, revived({ params, state, slots }, saved, {}))
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

// The structure of `like`, with tensors made of the snapshots that `saved` has in their places.
function revived<P, S, K extends string, A extends Partial<Carry<P, S, K>>, B>(like: A, saved: unknown, rest: B): A & B {
  const found = new Map<string, t.Snapshot>()
  collect(saved, '', found)
  const made: t.Tensor[] = []
  const tree = t.mapTensors(like, (x, path) => x)
  return { ...tree, ...rest }
}
