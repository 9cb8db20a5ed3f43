import { enablePatches, Immer } from 'immer'

// An instance of its own: whether states are frozen does not depend on what an application tells immer.
const immer: Immer = /*@__PURE__*/ new Immer({ autoFreeze: true })

/** Immer that makes and applies patches. Asked for at a call: an optimizer without a machine comes without immer. */
export function patching(): Immer {
  // Twice is once.
  enablePatches()
  return immer
}
