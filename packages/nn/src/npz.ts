export { fromNpz } from './files/from-npz.ts'
export { type NpzOptions, toNpz } from './files/to-npz.ts'
