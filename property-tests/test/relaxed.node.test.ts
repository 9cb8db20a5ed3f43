import { setFlagsFromString } from 'node:v8'
import { describeRelaxed } from './relaxed-laws.ts'

// Behind a flag in Node 20, which is heard while the process runs, too.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd')
describeRelaxed()
