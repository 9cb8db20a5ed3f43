import { evalShape, type Shape, scope, sizeOf, type Tensor, tensor, vjp } from '@tapeflow/autodiff'
import type { Domain, Draw, OperationInfo, Sample } from '@tapeflow/autodiff/testing'
import { expect } from 'vitest'
import { drawFrom } from '../src/arbitraries/draws.ts'
import { assertKernelMatchesReference, randomLike } from '../src/index.ts'

// What kernels do for large tensors only: blocks of a sum, panels of a product, passes over columns, scratch memory.
const shapes: readonly Shape[] = [[1100], [300, 9], [9, 300], [70, 1030], [5, 70, 33], [2, 3, 40, 17]]
const mostElements = 200_000

/** Draws as a list of numbers says, but that the first shape is large. */
function largeDraw(numbers: readonly number[], large: Shape): Draw {
  const small = drawFrom(numbers)
  let isFirst = true
  const shape: Draw['shape'] = (low, high) => {
    if (!isFirst || high === 0) return small.shape(low, high)
    isFirst = false
    const axes = large.slice(-high)
    return [...new Array<number>(Math.max(0, low - axes.length)).fill(2), ...axes]
  }
  return { ...small, shape }
}

function inputsOf(info: OperationInfo, sample: Sample): Tensor[] {
  const domains = sample.domains ?? info.domains
  return sample.shapes.map((shape, i) => {
    const { low, high, integer = false }: Domain = domains[Math.min(i, domains.length - 1)]!
    // Multiples of the golden ratio, modulo 1: spread evenly, and in no order.
    const value = (j: number): number => {
      const fraction = (j * 0.6180339887498949 + i * 0.3) % 1
      return integer ? low + Math.floor(fraction * (high - low + 1)) : low + (high - low) * fraction
    }
    return tensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, j) => value(j)),
      shape,
    )
  })
}

/** What is asserted of every operation on large tensors; the names are those of the tests. */
export const largeColumns: Readonly<Record<string, (info: OperationInfo) => void>> = {
  'kernel equals the reference where tensors are large': largeEqualsReference,
}

/** The law that kernels match the reference where tensors are large too, and the gradients of fused ones their composition's. */
function largeEqualsReference(info: OperationInfo): void {
  const sampleOf = info.large ?? info.sample
  for (const [i, large] of shapes.entries()) {
    for (let turn = 0; turn < 2; turn++) {
      const numbers = Array.from({ length: 24 }, (_, k) => (7919 * (k + 1) * (2 * i + turn + 1)) % 27720)
      const sample = sampleOf(largeDraw(numbers, large))
      scope(() => {
        const inputs = inputsOf(info, sample)
        const call = (x: readonly Tensor[]): Tensor => sample.call(...x)
        const shapes = inputs.map((x) => x.shape)
        const shape: unknown = evalShape(call, shapes)
        if (sizeOf(shape as Shape) > mostElements) return
        assertKernelMatchesReference(call, inputs, info)
        if (sample.composition !== undefined) gradientsEqual(sample.call, sample.composition, inputs)
      })
    }
  }
}

function gradientsEqual(fused: Sample['call'], composed: Sample['call'], inputs: readonly Tensor[]): void {
  const [ours, theirs] = [fused, composed].map(
    (f) => vjp((x: readonly Tensor[]) => f(...x), inputs, randomLike(fused(...inputs), 1)[0]!).gradients,
  )
  for (const [k, one] of ours!.entries()) {
    const [left, right] = [one.toFloat32Array(), theirs![k]!.toFloat32Array()]
    const most = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
    for (const [i, value] of left.entries()) expect(Math.abs(value - right[i]!)).toBeLessThan(1e-4 * most)
  }
}
