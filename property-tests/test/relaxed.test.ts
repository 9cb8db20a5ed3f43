import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'
import { expect, it } from 'vitest'
import { describeRelaxed } from './relaxed-laws.ts'

// In Node 20, which has it behind a flag, relaxed.node.test.ts runs the laws.
if (hasRelaxedSimd()) describeRelaxed()
else it('there are no laws of a mode that is refused', () => expect(relaxed).toThrow('no relaxed SIMD'))
