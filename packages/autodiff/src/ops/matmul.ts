import { apply, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { type WasmKernels, wasm } from '../kernels/wasm.ts'
import {
  type Draw,
  defineOperation,
  type Operation,
  type OperationInfo,
  type Sample,
  type Shaped,
  type Values,
} from '../operation.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { isOneProduct, matrixAt, productShape, productSizes, type Transposed } from '../product-shape.ts'
import { broadcastShapes, broadcastStrides, type Shape, showShape, sizeOf } from '../shape.ts'
import { stridedValues } from '../strided-copy.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'
import { summedTo } from './sum.ts'

/** Which operands are read transposed, without being transposed in memory: the last two axes of each. */
export interface MatmulOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

const names = ['transposeA', 'transposeB'] as const
const asTheyAre: Transposed = { transposeA: false, transposeB: false }
const leftTransposed: Transposed = { transposeA: true, transposeB: false }
const rightTransposed: Transposed = { transposeA: false, transposeB: true }
const bothTransposed: Transposed = { transposeA: true, transposeB: true }

export const matmulOperation: Operation<Transposed, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Transposed,
  [Tensor, Tensor]
>({
  name: 'matmul',
  doc: 'the matrix product, over batches of matrices',
  shape: (inputs, attributes) => {
    const left = inputs[0]!.shape
    const right = inputs[1]!.shape
    if (left.length === 2 && right.length === 2) {
      const { transposeA, transposeB } = attributes
      if (left[transposeA ? 0 : 1] === right[transposeB ? 1 : 0])
        return [left[transposeA ? 1 : 0]!, right[transposeB ? 0 : 1]!]
    }
    if (left.length === 0 || right.length === 0) {
      failRange(
        'matmul',
        `matrices or vectors are needed, got ${showShape(left)} and ${showShape(right)}`,
        'use mul for a scalar',
      )
    }
    const sizes = productSizes(inputs, attributes)
    const shape = isBatch(inputs) ? productShape(inputs, sizes, attributes) : [sizes.m, sizes.n]
    if (sizes.k !== sizes.l) {
      failRange(
        'matmul',
        `inner sizes differ, got ${readAs(left, attributes.transposeA)} and ${readAs(right, attributes.transposeB)}`,
        "transpose one operand or check the layer's input size",
      )
    }
    return shape
  },
  reference: (inputs, attributes) => product(inputs, attributes),
  scratch: (inputs, attributes) => {
    if (!isBatch(inputs)) {
      const { transposeA, transposeB } = attributes
      const left = inputs[0]!.shape
      const n = inputs[1]!.shape[transposeB ? 0 : 1]!
      const [m, k] = transposeA ? [left[1]!, left[0]!] : [left[0]!, left[1]!]
      return wasm().matmulScratch(m, n, k, transposeA ? 1 : 0, transposeB ? 1 : 0)
    }
    const sizes = productSizes(inputs, attributes)
    const isFlat = isOneProduct(inputs, sizes, attributes)
    const rows = isFlat ? sizeOf(inputs[0]!.shape) / sizes.k : sizes.m
    const transposeA = attributes.transposeA && !isFlat ? 1 : 0
    return wasm().matmulScratch(rows, sizes.n, sizes.k, transposeA, attributes.transposeB ? 1 : 0)
  },
  byRows: (inputs, { transposeA }) => (isBatch(inputs) || transposeA ? null : [true, false]),
  kernel: (output, inputs, attributes, scratch) => multiply(wasm(), output, inputs, attributes, scratch),
  kernelIn:
    ({ kernels }) =>
    (output, inputs, attributes, scratch) =>
      multiply(kernels, output, inputs, attributes, scratch),
  vjp: [
    (g, _, [a, b], attributes) => {
      if (a.shape.length === 1 || b.shape.length === 1) {
        const promoted = promote(g, a, b, attributes)
        return reshape(leftCotangent(promoted.g, promoted.a, promoted.b, attributes), a.shape)
      }
      return leftCotangent(g, a, b, attributes)
    },
    (g, _, [a, b], attributes) => {
      if (a.shape.length === 1 || b.shape.length === 1) {
        const promoted = promote(g, a, b, attributes)
        return reshape(rightCotangent(promoted.g, promoted.a, promoted.b, attributes), b.shape)
      }
      return rightCotangent(g, a, b, attributes)
    },
  ],
  batch: 'product',
})

const isBatch = (inputs: readonly Shaped[]): boolean =>
  inputs[0]!.shape.length !== 2 || inputs[1]!.shape.length !== 2

function readAs(shape: Shape, transpose: boolean): string {
  if (!transpose) return showShape(shape)
  return showShape([...shape.slice(0, -2), shape[shape.length - 1]!, shape[shape.length - 2]!])
}

type Multiplier = Pick<WasmKernels, 'matmul'>

// Called at every step of a program: no arrays are made.
function multiply(
  by: Multiplier,
  output: Tensor,
  inputs: [Tensor, Tensor],
  attributes: Transposed,
  scratch: number,
): void {
  const a = inputs[0]
  const b = inputs[1]
  if (isBatch(inputs)) {
    multiplyBatches(by, output, inputs, attributes, scratch)
    return
  }
  const { transposeA, transposeB } = attributes
  by.matmul(
    a.offset,
    b.offset,
    output.offset,
    output.shape[0]!,
    output.shape[1]!,
    a.shape[transposeA ? 0 : 1]!,
    transposeA ? 1 : 0,
    transposeB ? 1 : 0,
    scratch,
  )
}

// The same kernel for each matrix of the output, or for all rows at once.
function multiplyBatches(
  by: Multiplier,
  output: Tensor,
  inputs: [Tensor, Tensor],
  attributes: Transposed,
  scratch: number,
): void {
  const [a, b] = inputs
  const sizes = productSizes(inputs, attributes)
  const { m, n, k } = sizes
  const transposeB = attributes.transposeB ? 1 : 0
  if (isOneProduct(inputs, sizes, attributes)) {
    by.matmul(a.offset, b.offset, output.offset, output.size / n, n, k, 0, transposeB, scratch)
    return
  }
  const transposeA = attributes.transposeA ? 1 : 0
  const leading = Math.max(a.shape.length, b.shape.length) - 2
  for (let i = 0; i < output.size / (m * n); i++) {
    const left = a.offset + 4 * matrixAt(i, a.shape, output.shape, leading)
    const right = b.offset + 4 * matrixAt(i, b.shape, output.shape, leading)
    by.matmul(left, right, output.offset + 4 * i * m * n, m, n, k, transposeA, transposeB, scratch)
  }
}

/** Vectors as the matrices that they stand for. */
function promote(
  g: Tensor,
  a: Tensor,
  b: Tensor,
  attributes: Transposed,
): { g: Tensor; a: Tensor; b: Tensor } {
  const { m, n } = productSizes([a, b], attributes)
  const leading = g.shape.slice(0, Math.max(a.shape.length, b.shape.length, 2) - 2)
  return {
    g: reshape(g, [...leading, m, n]),
    a: a.shape.length === 1 ? reshape(a, [1, a.size]) : a,
    b: b.shape.length === 1 ? reshape(b, [b.size, 1]) : b,
  }
}

/** @internal the product of two tensors, read transposed or not: `matmul` without its checks of kinds */
export function multiplied(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  if (transposeA) return apply(matmulOperation, [a, b], transposeB ? bothTransposed : leftTransposed)
  return apply(matmulOperation, [a, b], transposeB ? rightTransposed : asTheyAre)
}

function leftCotangent(g: Tensor, a: Tensor, b: Tensor, { transposeA, transposeB }: Transposed): Tensor {
  const product = transposeA ? multiplied(b, g, transposeB, true) : multiplied(g, b, false, !transposeB)
  return summedTo(product, a.shape)
}

function rightCotangent(g: Tensor, a: Tensor, b: Tensor, { transposeA, transposeB }: Transposed): Tensor {
  if (g.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    // One product over the rows of all matrices, not one for each and a sum.
    const rows = sizeOf(g.shape.slice(0, -1))
    const left = reshape(a, [rows, a.shape[a.shape.length - 1]!])
    const right = reshape(g, [rows, g.shape[g.shape.length - 1]!])
    return transposeB ? multiplied(right, left, true, false) : multiplied(left, right, true, false)
  }
  const product = transposeB ? multiplied(g, a, true, transposeA) : multiplied(a, g, !transposeA, false)
  return summedTo(product, b.shape)
}

function product(inputs: readonly Values[], attributes: Transposed): Float64Array {
  const { m, n, k } = productSizes(inputs, attributes)
  const leading = broadcastShapes(
    'matmul',
    inputs.map((x) => x.shape.slice(0, -2)),
  )
  const [lefts, rights] = inputs.map((x) => {
    const own = x.shape.slice(0, -2)
    const numbers = Array.from({ length: sizeOf(own) }, (_, i) => i)
    return stridedValues(leading, numbers, 0, broadcastStrides(own, leading))
  })
  const [a, b] = inputs
  const result = new Float64Array(lefts!.length * m * n)
  let next = 0
  for (let batch = 0; batch < lefts!.length; batch++) {
    const [left, right] = [lefts![batch]! * m * k, rights![batch]! * k * n]
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++, next++) {
        for (let p = 0; p < k; p++) {
          const x = a!.values[left + (attributes.transposeA ? p * m + i : i * k + p)]!
          const y = b!.values[right + (attributes.transposeB ? j * k + p : p * n + j)]!
          result[next]! += x * y
        }
      }
    }
  }
  return result
}

/**
 * The matrix product: y[i, j] = sum over p of a[i, p] b[p, j], for each matrix of a batch, as in NumPy: leading axes
 * broadcast; a vector on the left is a row, one on the right a column, and the axis that this adds is left out again.
 *
 * @param a `[…, m, k]`, or `[…, k, m]` with `transposeA`, or `[k]`
 * @param b `[…, k, n]`, or `[…, n, k]` with `transposeB`, or `[k]`
 * @param options which operands are read transposed: nothing is moved in memory for it, in gradients neither
 * @returns `[…, m, n]`, without m or n where an operand is a vector
 * @throws RangeError when an operand is a scalar, the inner sizes differ, or leading axes do not broadcast
 * @example
 * t.matmul(t.tensor([[1, 2]]), t.tensor([[3], [4]])).toArray() // => [[11]]
 * t.matmul(t.tensor([[[1, 2]], [[3, 4]]]), t.tensor([1, 1])).toArray() // => [[3], [7]]
 */
export function matmul(a: Tensor, b: Tensor, options?: MatmulOptions): Tensor {
  const inputs: [Tensor, Tensor] = [tensorOperand('matmul', a), tensorOperand('matmul', b)]
  if (options === undefined) return apply(matmulOperation, inputs, asTheyAre)
  checkOptions('matmul', options, names)
  const transposeA = checkFlag('matmul', 'transposeA', options.transposeA)
  const transposeB = checkFlag('matmul', 'transposeB', options.transposeB)
  return multiplied(inputs[0], inputs[1], transposeA, transposeB)
}

type Sizes = readonly [m: number, n: number, k: number]

function productSample(draw: Draw, isBatched: boolean, [m, n, k]: Sizes): Sample {
  const transposeA = draw.integer(0, 1) === 1
  const transposeB = draw.integer(0, 1) === 1
  const leading = isBatched ? draw.pick([[2], [3, 2], [2, 1, 3], [1], [0], [7]]) : []
  const operand = (matrix: Shape): Shape => {
    if (!isBatched) return matrix
    if (draw.integer(0, 5) === 5) return [k]
    const shared = draw.integer(0, leading.length)
    return [...leading.slice(shared).map((size) => (draw.integer(0, 3) === 3 ? 1 : size)), ...matrix]
  }
  const a = operand(transposeA ? [k, m] : [m, k])
  const b = operand(transposeB ? [n, k] : [k, n])
  const options = { ...(a.length > 1 && { transposeA }), ...(b.length > 1 && { transposeB }) }
  return { shapes: [a, b], call: (left, right) => matmul(left!, right!, options) }
}

export const info: readonly OperationInfo[] = [
  {
    operation: matmulOperation,
    sample: (draw) => {
      const isBatched = draw.integer(0, 2) > 0
      const sizes = isBatched ? [2, 1, 3, 4, 0, 5, 9, 12] : [2, 1, 0, 3, 4, 5, 8, 9, 17, 33]
      return productSample(draw, isBatched, [draw.pick(sizes), draw.pick(sizes), draw.pick(sizes)])
    },
    // More than 16384 elements of B, and more than 32 rows of A, are multiplied in blocks; k above 256 takes several.
    large: (draw) =>
      productSample(
        draw,
        false,
        draw.pick<Sizes>([
          [9, 130, 131],
          [34, 61, 300],
          [70, 517, 33],
          [131, 9, 520],
          [1, 300, 70],
          [40, 1030, 20],
        ]),
      ),
    domains: [ordinary],
    // The standard bound: k eps |A| |B|, and at most 33 terms here but where tensors are large.
    ulps: 33,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => matmul(tensor([[1, 2, 3]]), tensor([[1, 2]])),
        kind: 'RangeError',
        message:
          "matmul: inner sizes differ, got [1,3] and [1,2]; transpose one operand or check the layer's input size",
      },
      {
        call: () => matmul(tensor([[[1, 2, 3]]]), zeros([2, 2]), { transposeA: true }),
        kind: 'RangeError',
        message:
          "matmul: inner sizes differ, got [1,3,1] and [2,2]; transpose one operand or check the layer's input size",
      },
      {
        call: () => matmul(tensor(1), tensor([[1]])),
        kind: 'RangeError',
        message: 'matmul: matrices or vectors are needed, got [] and [1,1]; use mul for a scalar',
      },
      {
        call: () => matmul(zeros([2, 1, 3]), zeros([3, 3, 1])),
        kind: 'RangeError',
        message:
          'matmul: leading axes do not broadcast, got [2,1,3] and [3,3,1]; their sizes must be equal or 1, matched from the third last axis',
      },
      {
        call: () => matmul(tensor([1]), tensor([[1]]), { transposeA: true }),
        kind: 'RangeError',
        message: 'matmul: transposeA needs a matrix, got [1]; leave it out for a vector',
      },
      {
        call: () => matmul(tensor([[1]]), tensor([1]), { transposeB: true }),
        kind: 'RangeError',
        message: 'matmul: transposeB needs a matrix, got [1]; leave it out for a vector',
      },
      {
        call: () => matmul(tensor([[1]]), [[1]] as unknown as Tensor),
        kind: 'TypeError',
        message: 'matmul: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      },
    ],
  },
]
