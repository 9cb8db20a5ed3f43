import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { convolutionKernels } from '../src/kernels/convolution.ts'
import { wasm } from '../src/kernels/wasm.ts'
import { hasRelaxedSimd, relaxed } from '../src/relaxed.ts'
import { compiled, describeRelaxed, functions } from './relaxed-mode.ts'

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

describe('a mode that has the strict kernels', () => {
  const calls = [0, 0, 0]
  const counted = <A extends readonly unknown[]>(at: number, kernel: (...args: A) => void) => {
    return (...args: A): void => {
      calls[at]!++
      kernel(...args)
    }
  }
  const counting: t.Numerics = {
    name: 'relaxed',
    kernels: {
      matmul: counted(0, wasm().matmul),
      convolve: counted(1, convolutionKernels().convolve),
      filterGradient: counted(2, convolutionKernels().filterGradient),
    },
    contracts: false,
  }
  it.each(functions)('is asked for all products of $name, and gives the strict bits', (row) => {
    t.scope(() => {
      calls.fill(0)
      const bits = compiled(row.f, row.args(), { numerics: counting })
      expect(calls).toEqual(row.calls)
      expect(bits).toEqual(compiled(row.f, row.args(), {}))
    })
  })
})

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
