import type { Log } from './monitors/guard.ts'
import type { RunSnapshot } from './snapshots.ts'

/** Where the checkpoints of a run are kept: a directory, a browser's database. One run writes to it at a time. */
export interface Store {
  /** In messages: the path of the directory. */
  readonly name: string
  /**
   * Called before the first step: rejects where nothing could be written, so that no work is lost later.
   */
  open(): Promise<void>
  /** Keeps a checkpoint, as a whole or not at all, and then lets go of those that are no longer wanted. Not called twice at a time. */
  save(snapshot: RunSnapshot): Promise<void>
  /**
   * The newest checkpoint that is intact; null where there is none.
   *
   * @param log is told of each that is torn or corrupt and was passed over
   */
  latest(log?: Log): Promise<RunSnapshot | null>
}
