import { apply, tensorOperand } from '../apply.ts'
import { failRange, failType, kindOf, shown } from '../fail.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { showShape, sizeOf, stridesOf } from '../shape.ts'
import { stridedCopy, stridedValues } from '../strided-copy.ts'
import { type Tensor, tensor } from '../tensor.ts'

interface Range {
  readonly begin: readonly number[]
  readonly end: readonly number[]
}

const first = (strides: readonly number[], begin: readonly number[]): number =>
  begin.reduce((at, from, axis) => at + from * strides[axis]!, 0)

export const sliceOperation: Operation<Range, [Tensor]> = /*@__PURE__*/ defineOperation<Range, [Tensor]>({
  name: 'slice',
  doc: 'a block of the tensor, from begin up to end on each axis',
  shape: (_, { begin, end }) => begin.map((from, axis) => end[axis]! - from),
  reference: ([x], { begin }, shape) => {
    const strides = stridesOf(x!.shape)
    return stridedValues(shape, x!.values, first(strides, begin), strides)
  },
  kernel: (output, [x], { begin }) => {
    const strides = stridesOf(x.shape)
    stridedCopy(
      output.shape,
      x.offset + 4 * first(strides, begin),
      strides,
      output.offset,
      stridesOf(output.shape),
    )
  },
  alias: ([x], { begin, end }) => {
    for (let axis = 1; axis < x.rank; axis++) if (begin[axis] !== 0 || end[axis] !== x.shape[axis]) return -1
    return first(stridesOf(x.shape), begin)
  },
  batch: 'axes',
  vjp: [
    (g, _, [x], { begin, end }) =>
      apply(padOperation, [g], {
        widths: begin.map((from, axis) => [from, x.shape[axis]! - end[axis]!] as const),
        value: 0,
      }),
  ],
})

/**
 * A block of the tensor: on each axis from `begin` up to but without `end`. Negative ends count from the end of the
 * axis, as in Array.slice. A block of whole rows lives on the same memory, other blocks are copied.
 *
 * @param x rank 1 or more
 * @param begin where to begin, on the leading axes: a number for the first one
 * @param end where to stop; the end of the axis where it is left out
 * @throws RangeError when a block reaches out of the tensor
 * @example
 * t.slice(t.tensor([[1, 2], [3, 4], [5, 6]]), 1).toArray() // => [[3, 4], [5, 6]]
 * t.slice(t.tensor([[1, 2], [3, 4]]), [0, 1], [2, 2]).toArray() // => [[2], [4]]
 */
export function slice(
  x: Tensor,
  begin: number | readonly number[],
  end: number | readonly number[] = [],
): Tensor {
  const from = tensorOperand('slice', x)
  const begins = typeof begin === 'number' ? [begin] : begin
  const ends = typeof end === 'number' ? [end] : end
  for (const bounds of [begins, ends]) {
    if (!Array.isArray(bounds)) {
      failType('slice', `begin and end must be integers or arrays of them, got ${kindOf(bounds)}`)
    }
  }
  if (begins.length > from.rank || ends.length > from.rank) {
    failRange(
      'slice',
      `${Math.max(begins.length, ends.length)} axes are named for rank ${from.rank}`,
      'name at most as many',
    )
  }
  const range = {
    begin: from.shape.map((size, axis) => (axis < begins.length ? counted(begins[axis]!, size) : 0)),
    end: from.shape.map((size, axis) => (axis < ends.length ? counted(ends[axis]!, size) : size)),
  }
  for (const [axis, size] of from.shape.entries()) {
    const [low, high] = [range.begin[axis]!, range.end[axis]!]
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high > size || low > high) {
      failRange(
        'slice',
        `${shown(low)} to ${shown(high)} is no range of axis ${axis} in shape ${showShape(from.shape)}`,
        `stay between 0 and ${size}`,
      )
    }
  }
  return apply(sliceOperation, [from], range)
}

const counted = (at: number, size: number): number => (Number.isInteger(at) && at < 0 ? at + size : at)

/** What `pad` is made of: it stands here because each of the two is the other's adjoint. */
interface Widths {
  readonly widths: readonly (readonly [before: number, after: number])[]
  readonly value: number
}

export const padOperation: Operation<Widths, [Tensor]> = /*@__PURE__*/ defineOperation<Widths, [Tensor]>({
  name: 'pad',
  doc: 'the tensor with a constant around it',
  shape: ([x], { widths }) => x!.shape.map((size, axis) => size + widths[axis]![0] + widths[axis]![1]),
  reference: ([x], { widths, value }, shape) => {
    const result = new Float64Array(sizeOf(shape)).fill(value)
    const strides = stridesOf(shape)
    const own = stridesOf(x!.shape)
    for (let i = 0; i < x!.values.length; i++) {
      const at = own.map((stride, axis) => Math.floor(i / stride) % x!.shape[axis]!)
      result[at.reduce((sum, n, axis) => sum + (n + widths[axis]![0]) * strides[axis]!, 0)] = x!.values[i]!
    }
    return result
  },
  kernel: (output, [x], { widths, value }) => {
    const strides = stridesOf(output.shape)
    wasm().fill(output.offset, output.size, value)
    const to =
      output.offset +
      4 *
        first(
          strides,
          widths.map(([before]) => before),
        )
    stridedCopy(x.shape, x.offset, stridesOf(x.shape), to, strides)
  },
  batch: 'axes',
  vjp: [
    (g, _, [x], { widths }) =>
      slice(
        g,
        widths.map(([before]) => before),
        widths.map(([before], axis) => before + x.shape[axis]!),
      ),
  ],
})

export const info: readonly OperationInfo[] = [
  {
    operation: sliceOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 4)
      const begin = shape.map((size) => draw.integer(0, size))
      const end = shape.map((size, axis) => draw.integer(begin[axis]!, size))
      const axes = draw.integer(1, shape.length)
      return { shapes: [shape], call: (x) => slice(x!, begin.slice(0, axes), end.slice(0, axes)) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => slice(tensor([1, 2]), 0, 3),
        kind: 'RangeError',
        message: 'slice: 0 to 3 is no range of axis 0 in shape [2]; stay between 0 and 2',
      },
      {
        call: () => slice(tensor([1, 2]), [0, 0]),
        kind: 'RangeError',
        message: 'slice: 2 axes are named for rank 1; name at most as many',
      },
    ],
  },
]
