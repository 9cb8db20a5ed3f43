import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'
import { expect, it } from 'vitest'
import { describeRelaxed } from './relaxed-laws.ts'

// Behind a flag in Node 20, which is heard while the process runs, too.
const node: typeof process | undefined = globalThis.process
if (node?.versions?.node?.startsWith('20.') === true)
  node.getBuiltinModule('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd')

if (hasRelaxedSimd()) describeRelaxed()
else it('there are no laws of a mode that is refused', () => expect(relaxed).toThrow('no relaxed SIMD'))
