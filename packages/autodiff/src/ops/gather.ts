import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { checkIndices } from '../indices.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo, type Shaped } from '../operation.ts'
import { sameShape, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

const rowShape = (x: Shaped): readonly number[] => x.shape.slice(1)

type None = Record<never, never>

export const gatherOperation: Operation<None, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  None,
  [Tensor, Tensor]
>({
  name: 'gather',
  doc: 'the rows that indices name',
  shape: ([x, indices]) => [...indices!.shape, ...rowShape(x!)],
  reference: ([x, indices], _, shape) => {
    const width = sizeOf(rowShape(x!))
    return new Float64Array(sizeOf(shape)).map(
      (_, i) => x!.values[indices!.values[Math.floor(i / width)]! * width + (i % width)]!,
    )
  },
  kernel: (output, [x, indices]) => {
    wasm().gather(x.offset, indices.offset, output.offset, indices.size, x.shape[0]!, sizeOf(rowShape(x)))
  },
  vjp: [(g, _, [x, indices]) => scatterAdd(g, indices, x.shape[0]!), null],
})

/**
 * The rows of `x` that indices name, as an embedding table is read. Its adjoint is `scatterAdd`; indices have no gradient.
 *
 * @param x `[rows, …]`
 * @param indices integers from 0 to rows - 1, any shape
 * @returns the shape of `indices` followed by that of a row
 * @throws RangeError when an index is no integer in range: names it and its place
 * @example
 * t.gather(t.tensor([[1, 2], [3, 4]]), t.tensor([1, 1, 0])).toArray() // => [[3, 4], [3, 4], [1, 2]]
 */
export function gather(x: Tensor, indices: Tensor): Tensor {
  const from = tensorOperand('gather', x)
  if (from.rank === 0) failRange('gather', 'a scalar has no rows', 'pass a tensor of rank 1 or more')
  checkIndices('gather', tensorOperand('gather', indices), from.shape[0]!)
  return apply(gatherOperation, [from, indices], {})
}

interface Rows {
  readonly rows: number
}

export const scatterAddOperation: Operation<Rows, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Rows,
  [Tensor, Tensor]
>({
  name: 'scatterAdd',
  doc: 'rows of zeros, with each given row added to the one that its index names',
  shape: ([x, indices], { rows }) => {
    const leading = x!.shape.slice(0, indices!.shape.length)
    if (!sameShape(leading, indices!.shape)) {
      failRange(
        'scatterAdd',
        `an index is needed for each row, got rows ${showShape(x!.shape)} and indices ${showShape(indices!.shape)}`,
      )
    }
    return [rows, ...x!.shape.slice(indices!.shape.length)]
  },
  reference: ([x, indices], { rows }, shape) => {
    const width = sizeOf(shape) / rows
    const result = new Float64Array(sizeOf(shape))
    for (let i = 0; i < x!.values.length; i++) {
      result[indices!.values[Math.floor(i / width)]! * width + (i % width)]! += x!.values[i]!
    }
    return result
  },
  kernel: (output, [x, indices], { rows }) => {
    wasm().scatterAdd(x.offset, indices.offset, output.offset, indices.size, rows, output.size / rows)
  },
  vjp: [(g, _, [, indices]) => gather(g, indices), null],
})

/**
 * Rows of zeros with each row of `x` added to the one that its index names, in increasing order: the adjoint of `gather`.
 *
 * @param x the shape of `indices` followed by that of a row
 * @param indices integers from 0 to rows - 1
 * @param rows how many rows come out
 * @throws RangeError when an index is no integer in range, or rows and indices do not match
 * @example
 * t.scatterAdd(t.tensor([1, 2, 4]), t.tensor([1, 1, 0]), 3).toArray() // => [4, 3, 0]
 */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number): Tensor {
  if (!Number.isInteger(rows) || rows < 0)
    failRange('scatterAdd', `rows must be an integer from 0 on, got ${rows}`)
  checkIndices('scatterAdd', tensorOperand('scatterAdd', indices), rows)
  return apply(scatterAddOperation, [tensorOperand('scatterAdd', x), indices], { rows })
}

export const info: readonly OperationInfo[] = [
  {
    operation: gatherOperation,
    sample: (draw) => ({ shapes: [[6, ...draw.shape(0, 2)], draw.shape(0, 2)], call: gather }),
    domains: [ordinary, { low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => gather(tensor([[1], [2]]), tensor([2])),
        kind: 'RangeError',
        message: 'gather: index 2 at place 0 is not an integer from 0 to 1; count classes from 0',
      },
      {
        call: () => gather(tensor(1), tensor([0])),
        kind: 'RangeError',
        message: 'gather: a scalar has no rows; pass a tensor of rank 1 or more',
      },
    ],
  },
  {
    operation: scatterAddOperation,
    sample: (draw) => {
      const indices = draw.shape(0, 2)
      return { shapes: [[...indices, ...draw.shape(0, 1)], indices], call: (x, at) => scatterAdd(x!, at!, 7) }
    },
    domains: [ordinary, { low: 0, high: 6, integer: true }],
    ulps: 64,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => scatterAdd(tensor([1, 2]), tensor([0]), 3),
        kind: 'RangeError',
        message: 'scatterAdd: an index is needed for each row, got rows [2] and indices [1]',
      },
    ],
  },
]
