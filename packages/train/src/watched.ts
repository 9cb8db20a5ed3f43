import { paths } from '@tapeflow/autodiff'
import { type Copied, copied } from './snapshots.ts'

/** Something of an event was read after the event had passed: the run has moved on and the numbers are gone. */
export class StaleSnapshotError extends Error {
  override readonly name = 'StaleSnapshotError'
  readonly operation: string = 'fit'
  constructor(what: string, event: string) {
    super(
      `fit: ${what} of the ${event} were read after it had passed; call snapshot() while handling it and keep that`,
    )
  }
}

/**
 * Tensors of a running training, shown for as long as the event is handled that they belong to. Looking costs nothing,
 * `snapshot()` costs one copy.
 *
 * @typeParam T a tree of tensors
 */
export interface Watched<T> {
  /**
   * The tensors themselves. They are the run's own: do not dispose them, and do not keep them.
   *
   * @throws StaleSnapshotError once the event has passed
   */
  readonly tree: T
  /** Where the tensors are: `['layers.0.bias', 'layers.0.weight']`. */
  readonly paths: readonly string[]
  /** A copy outside of the heap, `{ shape, values }` in the place of each tensor: yours to keep. */
  snapshot(): Copied<T>
}

/** A view on `read()`, which throws once the event has passed. */
export function watched<T>(read: () => T): Watched<T> {
  return {
    get tree() {
      return read()
    },
    get paths() {
      return paths(read())
    },
    snapshot: () => copied(read()),
  }
}
