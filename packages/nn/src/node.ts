export { type FileCalls, type OpenFile, type WriteOptions, writeFile } from './node/write-file.ts'
