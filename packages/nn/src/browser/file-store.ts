import { failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { FileError } from '../files/file-error.ts'

/** Files in the browser's own database, by name. */
export interface FileStore {
  /** Keeps a file; one of that name is replaced, as a whole or not at all. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** The bytes of a file; null where there is none of that name. */
  get(name: string): Promise<Uint8Array<ArrayBuffer> | null>
  /** The names of all files, sorted. */
  names(): Promise<readonly string[]>
  /** Removes a file, if it is there. */
  delete(name: string): Promise<void>
}

/** Where files are kept. */
export interface FileStoreOptions {
  /** The page's or worker's own by default. */
  readonly indexedDB?: IDBFactory
}

const files = 'files'

/**
 * Files kept in IndexedDB: they outlive the page, belong to its origin, and no server sees them. Each call is a transaction of its
 * own, done when its promise is.
 *
 * @param database under which name they are kept; `'tapeflow'` by default
 * @param options.indexedDB the browser's own by default
 * @throws TypeError where there is no IndexedDB; promises are rejected with the error of the browser, such as a full disk
 * @example
 * fileStore() // throws TypeError: fileStore: there is no IndexedDB
 */
export function fileStore(database = 'tapeflow', options: FileStoreOptions = {}): FileStore {
  knownOptions('fileStore', options, 'indexedDB')
  const factory = options.indexedDB ?? globalThis.indexedDB
  if (factory === undefined) {
    failType('fileStore', 'there is no IndexedDB', 'in Node use writeFile of @tapeflow/nn/node')
  }
  const run = async <T>(
    mode: IDBTransactionMode,
    request: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const opened = await open(factory, database)
    try {
      const transaction = opened.transaction(files, mode)
      const result = request(transaction.objectStore(files))
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () =>
          reject(transaction.error ?? new FileError('fileStore', 'the transaction was aborted'))
      })
      return result.result
    } finally {
      opened.close()
    }
  }
  return {
    put: async (name, bytes) => {
      if (!(bytes instanceof Uint8Array)) {
        failType(
          'fileStore',
          `the bytes must be a Uint8Array, got ${kindOf(bytes)}`,
          'pass what toSafetensors returns',
        )
      }
      // A copy: a view would take all that it looks into along, and shared memory cannot be stored.
      const own = new Uint8Array(bytes.length)
      own.set(bytes)
      await run('readwrite', (store) => store.put(own, name))
    },
    get: async (name) => {
      const found: unknown = await run('readonly', (store) => store.get(name))
      return found instanceof Uint8Array ? new Uint8Array(found) : null
    },
    names: async () => (await run('readonly', (store) => store.getAllKeys())).map(String),
    delete: async (name) => {
      await run('readwrite', (store) => store.delete(name))
    },
  }
}

function open(factory: IDBFactory, database: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(database, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(files)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
