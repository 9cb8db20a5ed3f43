export { type IndexedDBStoreOptions, indexedDBStore } from './browser/indexed-db-store.ts'
