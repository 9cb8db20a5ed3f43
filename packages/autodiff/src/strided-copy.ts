import { wasm } from './kernels/wasm.ts'
import type { Shape } from './shape.ts'

/**
 * Copies elements between two strided layouts of one shape: transposing, slicing, padding, joining and broadcasting are all this.
 *
 * @param from byte offset of the first element read; `to` of the first written
 * @param fromStrides in elements, one for each axis; 0 repeats, and likewise for writing
 */
export function stridedCopy(
  shape: Shape,
  from: number,
  fromStrides: readonly number[],
  to: number,
  toStrides: readonly number[],
): void {
  const sizes: number[] = []
  const reads: number[] = []
  const writes: number[] = []
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!
    if (size === 0) return
    if (size === 1) continue
    const last = sizes.length - 1
    if (last >= 0 && reads[last] === fromStrides[axis]! * size && writes[last] === toStrides[axis]! * size) {
      sizes[last]! *= size
      reads[last] = fromStrides[axis]!
      writes[last] = toStrides[axis]!
    } else {
      sizes.push(size)
      reads.push(fromStrides[axis]!)
      writes.push(toStrides[axis]!)
    }
  }
  while (sizes.length < 4) {
    sizes.unshift(1)
    reads.unshift(0)
    writes.unshift(0)
  }
  copyAxes(sizes, from, reads, to, writes)
}

function copyAxes(sizes: number[], from: number, reads: number[], to: number, writes: number[]): void {
  if (sizes.length > 4) {
    const [size, ...inner] = sizes
    for (let i = 0; i < size!; i++) {
      copyAxes(inner, from + i * reads[0]! * 4, reads.slice(1), to + i * writes[0]! * 4, writes.slice(1))
    }
    return
  }
  const [n0, n1, n2, n3] = sizes as [number, number, number, number]
  const [r0, r1, r2, r3] = reads as [number, number, number, number]
  const [w0, w1, w2, w3] = writes as [number, number, number, number]
  wasm().stridedCopy(from, to, n0, n1, n2, n3, r0, r1, r2, r3, w0, w1, w2, w3)
}

/** Reads an array through strides, in row-major order of `shape`: the float64 twin of `stridedCopy`. */
export function stridedValues(
  shape: Shape,
  values: ArrayLike<number>,
  first: number,
  strides: readonly number[],
): Float64Array {
  const result = new Float64Array(shape.reduce((size, n) => size * n, 1))
  const index = new Array<number>(shape.length).fill(0)
  for (let i = 0; i < result.length; i++) {
    result[i] = values[index.reduce((at, n, axis) => at + n * strides[axis]!, first)]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return result
}
