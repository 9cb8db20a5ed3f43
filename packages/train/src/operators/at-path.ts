import { failRange, Tensor, toSnapshot } from '@tapeflow/autodiff'
import type { StepEvent } from '../events.ts'
import type { Watched } from '../watched.ts'
import { copiedPaths, isCopied } from '../worker/copied-tree.ts'
import { copyOf, ReceivedStep, ReceivedTree } from '../worker/received.ts'

/** Copies of watched tensors, as one step had them. */
export interface TensorRecord<V = unknown> {
  readonly step: number
  readonly epoch: number
  /** Where in the parameters; empty for all of them. */
  readonly path: string
  /** `{ shape, values }` in the place of each tensor. */
  readonly value: V
}

/** Whether a step shows its tensors: those of a worker that come without, with `every`, are none that operators copy. */
export function carries(event: StepEvent): boolean {
  return !(event instanceof ReceivedStep) || event.carries
}

/**
 * A copy of what is at `path` of a watched tree: of one tensor, of a part of the tree, or of all with an empty path.
 *
 * @throws RangeError where nothing is there: lists what is
 */
export function copyAt(operation: string, watched: Watched<unknown>, path: string): unknown {
  if (path === '') return watched.snapshot()
  const isReceived = watched instanceof ReceivedTree
  let at: unknown = isReceived ? watched.arrays : watched.tree
  for (const part of path.split('.')) {
    const isBranch = typeof at === 'object' && at !== null && !(at instanceof Tensor) && !isCopied(at)
    if (!isBranch || !Object.hasOwn(at as object, part)) failNothing(operation, watched, path)
    at = Reflect.get(at as object, part)
  }
  if (!isReceived) return toSnapshot(at)
  if (copiedPaths(at).length === 0) failNothing(operation, watched, path)
  return copyOf(at)
}

function failNothing(operation: string, watched: Watched<unknown>, path: string): never {
  failRange(operation, `nothing is at '${path}'`, `use one of ${watched.paths.join(', ')}`)
}
