import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Patch } from 'immer'
import { patching } from './patching.ts'
import { checkName, checkState, type MachineState } from './transition.ts'

const ops = ['add', 'replace', 'remove']

/**
 * The state that patches lead to: how who was told of changes only holds the same state, and how control is stepped back.
 *
 * Patches are plain data, which JSON and `structuredClone` keep. Those of several transitions go in one after the other; inverse
 * patches, the last transition first. A machine goes back by `restore`, as if to any other state.
 *
 * @param state the state that the patches were made from; for inverse patches, the one that they were made at
 * @param patches of a `Transition`: `patches` forwards, `inversePatches` backwards
 * @param names the hyperparameters that may be set; any where it is left out
 * @returns a frozen state; `state` itself where nothing changes
 * @throws RangeError where a patch changes something else than phase, scale and overrides, or to what is not allowed; TypeError
 * where it is none
 * @example
 * const control = machine()
 * const monitor = structuredClone(control.state)
 * const { patches, inversePatches } = control.send({ type: 'scaleRate', factor: 0.5 })
 * patched(monitor, JSON.parse(JSON.stringify(patches))) // => { phase: 'idle', rateScale: 0.5, overrides: {} }
 * control.send({ type: 'restore', state: patched(control.state, inversePatches) }).state.rateScale // => 1
 */
export function patched(
  state: MachineState,
  patches: readonly Patch[],
  names?: readonly string[],
): MachineState {
  checkState(state, names)
  if (!Array.isArray(patches)) failType('patched', `patches must be an array, got ${kindOf(patches)}`)
  for (const [i, patch] of patches.entries()) checkPatch(patch, i, names)
  return checkState(patching().applyPatches(state, patches), names)
}

function checkPatch(patch: Patch, i: number, names: readonly string[] | undefined): void {
  if (typeof patch !== 'object' || patch === null || !Array.isArray(patch.path))
    failType('patched', `patch ${i} must be { op, path, value }, got ${kindOf(patch)}`)
  const { op, path } = patch
  if (!ops.includes(op)) failRange('patched', `op of patch ${i} must be one of ${ops.join(', ')}, got ${op}`)
  const [field, name, ...more] = path
  const known =
    field === 'overrides'
      ? name !== undefined
      : (field === 'phase' || field === 'rateScale') && name === undefined
  if (!known || more.length > 0) {
    failRange(
      'patched',
      `path of patch ${i} must be phase, rateScale or overrides and a name, got '${path.join('.')}'`,
      "pass a transition's patches",
    )
  }
  if (field === 'overrides') checkName(name, names)
}
