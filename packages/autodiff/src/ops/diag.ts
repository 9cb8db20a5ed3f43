import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOffset } from '../options.ts'
import { checkShape, type Shape, sizeOf, stridesOf } from '../shape.ts'
import { stridedCopy, stridedValues } from '../strided-copy.ts'
import { type Tensor, tensor } from '../tensor.ts'

interface Diagonal {
  readonly offset: number
}

/** How long a diagonal is, and where in a matrix it begins. */
function line(rows: number, columns: number, offset: number): { length: number; first: number } {
  const length = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)))
  return { length, first: length === 0 ? 0 : offset < 0 ? -offset * columns : offset }
}

const last = (shape: Shape): number => shape[shape.length - 1]!
const secondLast = (shape: Shape): number => shape[shape.length - 2]!

/** The strides with which the diagonals of matrices are walked. */
const diagonalStrides = (shape: Shape): number[] => [...stridesOf(shape).slice(0, -2), last(shape) + 1]

export const diagOperation: Operation<Diagonal, [Tensor]> = /*@__PURE__*/ defineOperation<Diagonal, [Tensor]>(
  {
    name: 'diag',
    doc: 'the diagonals of matrices',
    shape: ([x], { offset }) => [
      ...x!.shape.slice(0, -2),
      line(secondLast(x!.shape), last(x!.shape), offset).length,
    ],
    reference: ([x], { offset }, shape) =>
      stridedValues(
        shape,
        x!.values,
        line(secondLast(x!.shape), last(x!.shape), offset).first,
        diagonalStrides(x!.shape),
      ),
    kernel: (output, [x], { offset }) => {
      const { first } = line(secondLast(x.shape), last(x.shape), offset)
      const { shape } = output
      stridedCopy(shape, x.offset + 4 * first, diagonalStrides(x.shape), output.offset, stridesOf(shape))
    },
    batch: 'axes',
    vjp: [
      (g, _, [x], { offset }) =>
        apply(diagEmbedOperation, [g], { offset, rows: secondLast(x.shape), columns: last(x.shape) }),
    ],
  },
)

/**
 * The diagonal of a matrix, or of each matrix of a batch; of a vector the matrix that has it on its diagonal, and zeros
 * elsewhere. As NumPy's diag, and numpy.linalg.diagonal for batches: the last two axes are the matrix.
 *
 * @param x `[…, m, n]`, or `[n]`
 * @param options.offset how far above the main diagonal, below it where negative; 0 by default
 * @returns `[…, length]`, or `[n + |offset|, n + |offset|]` of a vector
 * @throws RangeError for a scalar, or an offset that is no integer
 * @example
 * t.diag(t.tensor([[1, 2], [3, 4]])).toArray() // => [1, 4]
 * t.diag(t.tensor([[1, 2], [3, 4]]), { offset: 1 }).toArray() // => [2]
 * t.diag(t.tensor([1, 2])).toArray() // => [[1, 0], [0, 2]]
 */
export function diag(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const from = tensorOperand('diag', x)
  const offset = checkOffset('diag', options)
  if (from.rank === 0) failRange('diag', 'a scalar has no diagonal', 'pass a vector or a matrix')
  return from.rank > 1 ? apply(diagOperation, [from], { offset }) : embed('diag', from, offset)
}

function embed(operation: string, x: Tensor, offset: number): Tensor {
  const size = last(x.shape) + Math.abs(offset)
  checkShape(operation, [...x.shape.slice(0, -1), size, size])
  return apply(diagEmbedOperation, [x], { offset, rows: size, columns: size })
}

interface Embedding extends Diagonal {
  readonly rows: number
  readonly columns: number
}

export const diagEmbedOperation: Operation<Embedding, [Tensor]> = /*@__PURE__*/ defineOperation<
  Embedding,
  [Tensor]
>({
  name: 'diagEmbed',
  doc: 'matrices of zeros with the given diagonals',
  shape: ([x], { rows, columns }) => [...x!.shape.slice(0, -1), rows, columns],
  reference: ([x], { offset, rows, columns }, shape) => {
    const result = new Float64Array(sizeOf(shape))
    const { length, first } = line(rows, columns, offset)
    for (let i = 0; i < x!.values.length; i++) {
      const [matrix, place] = [Math.floor(i / length), i % length]
      result[matrix * rows * columns + first + place * (columns + 1)] = x!.values[i]!
    }
    return result
  },
  kernel: (output, [x], { offset, rows, columns }) => {
    wasm().fill(output.offset, output.size, 0)
    const to = output.offset + 4 * line(rows, columns, offset).first
    stridedCopy(x.shape, x.offset, stridesOf(x.shape), to, diagonalStrides(output.shape))
  },
  batch: 'axes',
  vjp: [(g, _, _inputs, { offset }) => diag(g, { offset })],
})

/**
 * Square matrices of zeros with vectors on their diagonals: `diag` of a vector, for each vector of a batch.
 *
 * @param x `[…, n]`
 * @param options.offset how far above the main diagonal, below it where negative; 0 by default
 * @returns `[…, n + |offset|, n + |offset|]`
 * @throws RangeError for a scalar, or an offset that is no integer
 * @example
 * t.diagEmbed(t.tensor([[1], [2]]), { offset: 1 }).toArray() // => [[[0, 1], [0, 0]], [[0, 2], [0, 0]]]
 */
export function diagEmbed(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const from = tensorOperand('diagEmbed', x)
  const offset = checkOffset('diagEmbed', options)
  if (from.rank === 0) failRange('diagEmbed', 'a scalar is no diagonal', 'reshape it to [1]')
  return embed('diagEmbed', from, offset)
}

export const info: readonly OperationInfo[] = [
  {
    operation: diagOperation,
    sample: (draw) => {
      const shape = draw.shape(2, 4)
      const offset = draw.pick([0, 1, -1, 2, -2, 5, -9])
      return { shapes: [shape], call: (x) => diag(x!, { offset }) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => diag(tensor(1)),
        kind: 'RangeError',
        message: 'diag: a scalar has no diagonal; pass a vector or a matrix',
      },
      {
        call: () => diag(tensor([[1]]), { offset: 0.5 }),
        kind: 'RangeError',
        message: 'diag: offset must be an integer, got 0.5',
      },
      {
        call: () => diag(tensor([[1]]), { offset: '1' as unknown as number }),
        kind: 'TypeError',
        message: 'diag: offset must be an integer, got a string',
      },
      {
        call: () => diag(tensor([[1]]), { k: 1 } as object),
        kind: 'RangeError',
        message: "diag: unknown option 'k'; use offset",
      },
      {
        call: () => diag([[1]] as unknown as Tensor),
        kind: 'TypeError',
        message: 'diag: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      },
    ],
  },
  {
    operation: diagEmbedOperation,
    sample: (draw) => {
      const [size = 1, ...rest] = draw.shape(1, 3)
      // Its output is square: only short vectors.
      const shape = [...rest.map((n) => Math.min(n, 3)), Math.min(size, 17)]
      const offset = draw.pick([0, 1, -1, 2, -3])
      return { shapes: [shape], call: (x) => diagEmbed(x!, { offset }) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => diagEmbed(tensor(1)),
        kind: 'RangeError',
        message: 'diagEmbed: a scalar is no diagonal; reshape it to [1]',
      },
      {
        call: () => diagEmbed(tensor([1]), { offset: Number.POSITIVE_INFINITY }),
        kind: 'RangeError',
        message: 'diagEmbed: offset must be an integer, got Infinity',
      },
      {
        call: () => diagEmbed(tensor([1]), { offset: 2 ** 20 }),
        kind: 'RangeError',
        message: 'diagEmbed: a tensor holds at most 2^30 - 1 elements, got shape [1048577,1048577]; split it',
      },
    ],
  },
]
