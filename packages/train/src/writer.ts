import type { Log } from './monitors/guard.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Store } from './store.ts'

/** Brings checkpoints into a store while the run goes on. */
export interface Writer {
  /** Takes a checkpoint and returns at once. One that still waits for its turn gives way to it. */
  write(snapshot: RunSnapshot): void
  /** Resolves when nothing is being written any more, and nothing waits; null where that is so now. */
  flushed(): Promise<void> | null
}

/**
 * A writer that has at most one checkpoint under way, and at most one waiting. One that could not be written is told to `log`:
 * the run goes on, and the next is tried again.
 */
export function writer(store: Store, log: Log): Writer {
  let waiting: RunSnapshot | null = null
  let writing: Promise<void> | null = null

  const drain = async (): Promise<void> => {
    while (waiting !== null) {
      const snapshot = waiting
      waiting = null
      try {
        await store.save(snapshot)
      } catch (error) {
        log(`fit: the checkpoint of step ${snapshot.step} could not be written to ${store.name}`, error)
      }
    }
    writing = null
  }
  return {
    write(snapshot) {
      waiting = snapshot
      // Later: a store may begin with work that the step should not wait for.
      writing ??= Promise.resolve().then(drain)
    },
    flushed: () => writing,
  }
}
