import { failRange, paths, Tensor, toSnapshot } from '@tapeflow/autodiff'
import type { Watched } from '../watched.ts'

/** Copies of watched tensors, as one step had them. */
export interface TensorRecord<V = unknown> {
  readonly step: number
  readonly epoch: number
  /** Where in the parameters; empty for all of them. */
  readonly path: string
  /** `{ shape, values }` in the place of each tensor. */
  readonly value: V
}

/**
 * A copy of what is at `path` of a watched tree: of one tensor, of a part of the tree, or of all with an empty path.
 *
 * @throws RangeError where nothing is there: lists what is
 */
export function copyAt(operation: string, watched: Watched<unknown>, path: string): unknown {
  if (path === '') return watched.snapshot()
  let at: unknown = watched.tree
  for (const part of path.split('.')) {
    const inside = typeof at === 'object' && at !== null && !(at instanceof Tensor) && Object.hasOwn(at, part)
    if (!inside)
      failRange(operation, `nothing is at '${path}'`, `use one of ${paths(watched.tree).join(', ')}`)
    at = Reflect.get(at as object, part)
  }
  return toSnapshot(at)
}
