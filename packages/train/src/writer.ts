import type { Log } from './monitors/guard.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Store, StoreHolder } from './store.ts'

/** Brings checkpoints into a store while the run goes on. */
export interface Writer extends StoreHolder {
  /**
   * Takes a checkpoint and returns at once. One that still waits for its turn gives way to it, unless the store says that it would
   * be its best one.
   */
  write(snapshot: RunSnapshot): void
  /** Nothing will be written beside what is under way, or waits. */
  close(): void
}

/**
 * A writer that has at most one checkpoint under way, and at most two waiting: the newest, and before it the best. One that could not be
 * written is told to `log`: the run goes on, and the next is tried again.
 */
export function writer(store: Store, log: Log): Writer {
  let waiting: readonly RunSnapshot[] = []
  let writing: Promise<void> | null = null
  let isOver = false

  const drain = async (): Promise<void> => {
    for (;;) {
      const [snapshot, ...rest] = waiting
      if (snapshot === undefined) break
      waiting = rest
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
      const best = waiting.length === 0 ? null : (store.bestOf?.([...waiting, snapshot]) ?? null)
      waiting = best === null || best === snapshot ? [snapshot] : [best, snapshot]
      // Later: a store may begin with work that the step should not wait for.
      writing ??= Promise.resolve().then(drain)
    },
    flushed: () => writing,
    get isOver() {
      return isOver
    },
    close() {
      isOver = true
    },
  }
}
