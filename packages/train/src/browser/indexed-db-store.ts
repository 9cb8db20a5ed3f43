import { failType, kindOf } from '@tapeflow/autodiff'
import { fileStore } from '@tapeflow/nn/browser'
import { type CheckpointStore, checkpointStore, type StoreOptions } from '../checkpoint/store-of.ts'

/** What `indexedDBStore` takes beside the name. */
export interface IndexedDBStoreOptions extends StoreOptions {
  /** The page's or worker's own by default. */
  readonly indexedDB?: IDBFactory
}

/**
 * A store for the checkpoints of a run in the browser's own database. They outlive the page, belong to its origin, and no server
 * sees them; a browser that is short of room may clear them, unless the page has asked for `navigator.storage.persist()`. Each is
 * written in a transaction: a tab that is closed meanwhile leaves those before.
 *
 *     const store = indexedDBStore('first', { keep: 3 })
 *     fit(model, { ..., callbacks: [checkpointEvery({ epochs: 1 })], store, from: store })
 *
 * begins a run, or goes on with it after a reload. Which are kept, and what becomes of damaged ones, is as with `directoryStore`.
 *
 * @param name of the database. A run has it for itself: two tabs need two names
 * @param options.keep how many of the last ones are kept; 3 by default
 * @param options.best the best one is kept beside them: `{ monitor: 'validation.loss', mode: 'min' }`; none by default
 * @throws TypeError for a name that is no string, and where there is no IndexedDB; RangeError for other options; as the error of the
 * run, before its first step, CheckpointError where nothing can be written there
 * @example
 * indexedDBStore('first') // throws TypeError: indexedDBStore: there is no IndexedDB; in Node use directoryStore of @tapeflow/train/node
 */
export function indexedDBStore(name: string, options: IndexedDBStoreOptions = {}): CheckpointStore {
  if (typeof name !== 'string' || name === '') {
    failType(
      'indexedDBStore',
      `the name must be a string that is not empty, got ${kindOf(name)}`,
      "pass indexedDBStore('first')",
    )
  }
  const { indexedDB = globalThis.indexedDB, ...others } = options
  if (indexedDB === undefined) {
    failType('indexedDBStore', 'there is no IndexedDB', 'in Node use directoryStore of @tapeflow/train/node')
  }
  const { names, get, put, delete: remove } = fileStore(name, { indexedDB })
  return checkpointStore(
    'indexedDBStore',
    { name, list: names, read: get, write: put, delete: remove },
    others,
  )
}
