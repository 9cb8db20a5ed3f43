export { type DownloadOptions, downloadFile } from './browser/download-file.ts'
export { type FileStore, type FileStoreOptions, fileStore } from './browser/file-store.ts'
