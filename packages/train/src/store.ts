import type { Log } from './monitors/guard.ts'
import type { RunSnapshot } from './snapshots.ts'

/** The run that has a store open. */
export interface StoreHolder {
  /** Whether it saves nothing any more beside what is under way, or waits. */
  readonly isOver: boolean
  /** Resolves when nothing is being saved any more, and nothing waits; null where that is so now. */
  flushed(): Promise<void> | null
}

/** Where the checkpoints of a run are kept: a directory, a browser's database. One run writes to it at a time. */
export interface Store {
  /** In messages: the path of the directory. */
  readonly name: string
  /**
   * Called before the first step: rejects where nothing could be written, so that no work is lost later; and where another
   * run has the store that is not over. What that one still saves is waited for.
   *
   * @param holder the run
   */
  open(holder?: StoreHolder): Promise<void>
  /** Keeps a checkpoint, as a whole or not at all, and then lets go of those that are no longer wanted. Not called twice at a time. */
  save(snapshot: RunSnapshot): Promise<void>
  /**
   * The one of some checkpoints that the store would keep as its best; null where none is better than what it has. While one is being
   * saved, of others only the newest waits, and this one. Without it the newest alone waits. It throws nothing.
   *
   * @param waiting the newest last
   */
  bestOf?(waiting: readonly RunSnapshot[]): RunSnapshot | null
  /**
   * The newest checkpoint that is intact; null where there is none.
   *
   * @param log is told of each that is torn or corrupt and was passed over
   */
  latest(log?: Log): Promise<RunSnapshot | null>
}
