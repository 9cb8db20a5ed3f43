export { type FileCalls, type WriteOptions, writeFile } from './node/write-file.ts'
