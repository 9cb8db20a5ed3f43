import { failRange } from './fail.ts'
import type { Shaped } from './operation.ts'
import { type Shape, showShape, sizeOf } from './shape.ts'

/** Which operands of a product are read transposed: their last two axes. */
export interface Transposed {
  readonly transposeA: boolean
  readonly transposeB: boolean
}

/** The sizes of the matrices: `[m, k]` by `[l, n]`, where k and l must be equal. A vector is a row on the left, a column on the right. */
export interface ProductSizes {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly l: number
}

/** Reads the last two axes of the operands, transposed where it says so. */
export function productSizes(
  [a, b]: readonly Shaped[],
  { transposeA, transposeB }: Transposed,
): ProductSizes {
  const left = a!.shape
  const right = b!.shape
  const rows = left.length === 1 ? 1 : left[left.length - 2]!
  const columns = left[left.length - 1]!
  const depth = right[Math.max(0, right.length - 2)]!
  const width = right.length === 1 ? 1 : right[right.length - 1]!
  return {
    m: transposeA ? columns : rows,
    k: transposeA ? rows : columns,
    l: transposeB ? width : depth,
    n: transposeB ? depth : width,
  }
}

/** The shape of a product of batches or vectors: leading axes broadcast, the axis of a vector is left out. */
export function productShape(
  inputs: readonly Shaped[],
  { m, n }: ProductSizes,
  { transposeA, transposeB }: Transposed,
): Shape {
  const [left, right] = [inputs[0]!.shape, inputs[1]!.shape]
  if (transposeA && left.length === 1) failVector('transposeA', left)
  if (transposeB && right.length === 1) failVector('transposeB', right)
  const rank = Math.max(left.length, right.length)
  const shape: number[] = []
  for (let axis = rank; axis > 2; axis--) {
    const x = left[left.length - axis] ?? 1
    const y = right[right.length - axis] ?? 1
    if (x !== y && x !== 1 && y !== 1) {
      failRange(
        'matmul',
        `leading axes do not broadcast, got ${showShape(left)} and ${showShape(right)}`,
        'their sizes must be equal or 1, matched from the third last axis',
      )
    }
    shape.push(x === 1 ? y : x)
  }
  if (left.length > 1) shape.push(m)
  if (right.length > 1) shape.push(n)
  return shape
}

function failVector(option: string, shape: Shape): never {
  failRange('matmul', `${option} needs a matrix, got ${showShape(shape)}`, 'leave it out for a vector')
}

/**
 * Whether a product of batches is one of two matrices: `b` is one matrix, and the rows of all matrices of `a` follow each
 * other.
 */
export function isOneProduct(
  [, b]: readonly Shaped[],
  { m, n, k }: ProductSizes,
  { transposeA }: Transposed,
): boolean {
  return sizeOf(b!.shape) === k * n && (!transposeA || m === 1)
}

/**
 * Where in an operand the matrix begins that goes into matrix `index` of the output: in elements.
 *
 * @param leading how many axes of the output lead to a matrix
 */
export function matrixAt(index: number, shape: Shape, output: Shape, leading: number): number {
  let axis = shape.length - 3
  if (axis < 0) return 0
  let step = shape[axis + 1]! * shape[axis + 2]!
  let at = 0
  for (let over = leading - 1; axis >= 0; over--, axis--) {
    const size = output[over]!
    if (shape[axis] !== 1) at += (index % size) * step
    step *= shape[axis]!
    index = Math.floor(index / size)
  }
  return at
}
