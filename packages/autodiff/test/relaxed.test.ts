import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { hasRelaxedSimd, relaxed } from '../src/relaxed.ts'
import { describeRelaxed } from './relaxed-mode.ts'

// In Node 20, which has it behind a flag, relaxed.node.test.ts runs this.
if (hasRelaxedSimd()) describeRelaxed()
else {
  it('relaxed is refused where the engine has no relaxed SIMD', () => {
    expect(relaxed).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        operation: 'relaxed',
        message:
          'relaxed: this engine has no relaxed SIMD; in Node 20 start it with --experimental-wasm-relaxed-simd, or leave numerics out',
      }),
    )
  })
}

describe('compile refuses what is no numeric mode:', () => {
  it.each([
    ['a string', 'relaxed'],
    ['null', null],
    ['a function', relaxed],
    ['an object', {}],
  ])('%s', (kind, numerics) => {
    expect(() => t.compile(t.exp, { numerics } as unknown as t.CompileOptions)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: `compile: numerics must be a numeric mode, got ${kind}; pass relaxed() of @tapeflow/autodiff/relaxed, or leave it out for strict`,
      }),
    )
  })
})
