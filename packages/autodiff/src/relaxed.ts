import { failRange } from './fail.ts'
import { relaxedMemoryFlagsAt, relaxedWasmBase64 } from './kernels/generated/relaxed.ts'
import { bytesOf, instantiate } from './kernels/wasm.ts'
import { isShared, wasmMemory } from './memory.ts'
import type { NumericKernels, Numerics } from './numerics.ts'

export type { NumericKernels, Numerics } from './numerics.ts'

// A cache of compiled kernels.
let cached: Numerics | undefined

/**
 * Whether this engine runs relaxed SIMD, so that `relaxed()` does not throw: Chromium does from version 114 on, Node from 21,
 * Node 20 where it is started with `--experimental-wasm-relaxed-simd`.
 *
 * @example
 * import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'
 * const double = t.compile((x: t.Tensor) => t.add(x, x), hasRelaxedSimd() ? { numerics: relaxed() } : {})
 * double(t.tensor([1, 2])).toArray() // => [2, 4]
 */
export function hasRelaxedSimd(): boolean {
  // No heap is reserved for the question: of which kind that is does not matter here.
  return cached !== undefined || WebAssembly.validate(bytesOf(relaxedWasmBase64, relaxedMemoryFlagsAt, false))
}

/**
 * The relaxed numeric mode, for `compile` and `fit`: products and sums of them by fused multiply-add, which is faster, and
 * rounds once where strict code rounds twice. It is that of matrix products, convolutions and their gradients, and of the series
 * inside of elementwise operations; all else stays strict, and eager code always does.
 *
 * Results keep to the same error bounds, and are the same bits at every run on one machine, fused or not. They are not those of
 * strict programs, and on a processor without such an instruction not those of one that has it.
 *
 * @returns the same value at every call
 * @throws RangeError where the engine has no relaxed SIMD: ask `hasRelaxedSimd` first
 * @example
 * import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'
 * const square = (x: t.Tensor) => t.matmul(x, x)
 * const fast = t.compile(square, hasRelaxedSimd() ? { numerics: relaxed() } : {})
 * fast(t.eye(2)).toArray() // => [[1, 0], [0, 1]]
 */
export function relaxed(): Numerics {
  if (cached !== undefined) return cached
  if (!hasRelaxedSimd()) {
    failRange(
      'relaxed',
      'this engine has no relaxed SIMD',
      'in Node 20 start it with --experimental-wasm-relaxed-simd, or leave numerics out',
    )
  }
  // Untyped exports get their type here, as in kernels/wasm.ts.
  const kernels = instantiate(
    relaxedWasmBase64,
    relaxedMemoryFlagsAt,
    wasmMemory(),
    isShared(),
  ) as WebAssembly.Exports & NumericKernels
  cached = Object.freeze({ name: 'relaxed', kernels, contracts: true })
  return cached
}
