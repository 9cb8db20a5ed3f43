import { describe, expect, it } from 'vitest'
import { type ConvolutionKernels, convolutionKernels } from '../../src/kernels/convolution.ts'
import { convolutionMemoryFlagsAt, convolutionWasmBase64 } from '../../src/kernels/generated/convolution.ts'
import { instantiate, kernelsOn, wasm } from '../../src/kernels/wasm.ts'

const heap = 65536

const kernelsIn = (memory: WebAssembly.Memory, shared: boolean): ConvolutionKernels =>
  instantiate(
    convolutionWasmBase64,
    convolutionMemoryFlagsAt,
    memory,
    shared,
  ) as unknown as ConvolutionKernels

describe.each([true, false])('the module of convolutions, on memory that is shared: %s', (shared) => {
  const make = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 4, maximum: 65536, shared })

  it('computes', () => {
    const memory = make()
    const floats = new Float32Array(memory.buffer)
    const [x, filter, packed, out] = [heap, heap + 1024, heap + 2048, heap + 4096]
    floats.set([1, 2, 3, 4], x / 4)
    floats.set([10, 1], filter / 4)
    const kernels = kernelsIn(memory, shared)
    kernels.packFilter(filter, packed, 1, 2, 1, 1, 2, 1, 1, 1)
    kernels.convolve(x, 1, 1, 4, 1, 1, packed, out, 3, 3, 1, 1, 0, 0, 1, 2, 1, 1, 1, 1, 1, 3, 0, 0)
    expect(Array.from(floats.subarray(out / 4, out / 4 + 4))).toEqual([12, 23, 34, 0])
  })

  it('lies beside the other module: neither writes static data where the other has some', () => {
    const memory = make()
    const low = (): Uint8Array => new Uint8Array(memory.buffer).slice(0, heap)
    kernelsOn(memory, shared)
    const first = low()
    kernelsIn(memory, shared)
    const both = low()
    for (const [i, byte] of first.entries()) if (byte !== 0) expect(both[i]).toBe(byte)
    expect(both.subarray(0, 1024).every((byte) => byte === 0)).toBe(true)
  })
})

describe('the kernels on the heap', () => {
  it('are made once, and leave the other module alone', () => {
    expect(convolutionKernels()).toBe(convolutionKernels())
    expect(Object.keys(convolutionKernels()).filter((name) => name in wasm())).toEqual([])
  })
})
