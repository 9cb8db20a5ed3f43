import { apply, tensorOperand } from '../apply.ts'
import { arange } from '../creation.ts'
import { failRange, shown } from '../fail.ts'
import { checkIndices } from '../indices.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { checkAxis, type Shape, sameShape, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { add } from './add.ts'
import { reshape } from './reshape.ts'
import { broadcastTo } from './sum.ts'

interface GatherOptions {
  /** The axis that indices choose along, 0 by default; a negative one counts from the end. */
  readonly axis?: number
}

interface Along {
  readonly axis: number
}

// How many blocks an axis cuts the tensor into, and how long the rows are that are copied whole.
const outerOf = (shape: Shape, axis: number): number => sizeOf(shape.slice(0, axis))
const widthOf = (shape: Shape, end: number): number => sizeOf(shape.slice(end))

export const gatherOperation: Operation<Along, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Along,
  [Tensor, Tensor]
>({
  name: 'gather',
  doc: 'the rows that indices name',
  shape: ([x, indices], { axis }) => [
    ...x!.shape.slice(0, axis),
    ...indices!.shape,
    ...x!.shape.slice(axis + 1),
  ],
  reference: ([x, indices], { axis }, shape) => {
    const width = widthOf(x!.shape, axis + 1)
    const rows = x!.shape[axis]!
    const count = indices!.values.length
    return new Float64Array(sizeOf(shape)).map((_, i) => {
      const row = Math.floor(i / width)
      const outer = Math.floor(row / count)
      return x!.values[(outer * rows + indices!.values[row % count]!) * width + (i % width)]!
    })
  },
  kernel: (output, [x, indices], { axis }) => {
    const rows = x.shape[axis]!
    const width = widthOf(x.shape, axis + 1)
    const count = indices.size
    if (axis === 0) wasm().gather(x.offset, indices.offset, output.offset, count, rows, width)
    else {
      const blocks = outerOf(x.shape, axis)
      wasm().along(output.offset, indices.offset, x.offset, blocks, count, rows, width, 0, 1, 0, 0)
    }
  },
  vjp: [(g, _, [x, indices], { axis }) => scatterAdd(g, indices, x.shape[axis]!, { axis }), null],
  batch: ([x, indices], { axis }, isBatched, size) => {
    if (!isBatched[1]) return apply(gatherOperation, [x, indices], { axis: axis + 1 })
    if (!isBatched[0] && axis === 0) return apply(gatherOperation, [x, indices], { axis })
    const [, rows, ...shape] = x.shape
    if (axis > 0 || !areExact(size, rows!)) return null
    return apply(gatherOperation, [reshape(x, [size * rows!, ...shape]), ofAll(indices, rows!)], { axis })
  },
})

/**
 * The rows of `x` that indices name, as an embedding table is read, or what they name along another axis: NumPy's `take`. Its
 * adjoint is `scatterAdd`; indices have no gradient.
 *
 * @param x `[rows, …]`
 * @param indices integers from 0 to rows - 1, any shape
 * @param options.axis the axis to choose along, 0 by default; negative ones count from the end
 * @returns the shape of `x` with that of `indices` in the place of the axis
 * @throws RangeError when an index is no integer in range: names it and its place; or the axis is out of range
 * @example
 * t.gather(t.tensor([[1, 2], [3, 4]]), t.tensor([1, 1, 0])).toArray() // => [[3, 4], [3, 4], [1, 2]]
 * t.gather(t.tensor([[1, 2], [3, 4]]), t.tensor([1, 0]), { axis: 1 }).toArray() // => [[2, 1], [4, 3]]
 */
export function gather(x: Tensor, indices: Tensor, options: GatherOptions = {}): Tensor {
  const from = tensorOperand('gather', x)
  checkOptions('gather', options, ['axis'])
  if (from.rank === 0) failRange('gather', 'a scalar has no rows', 'pass a tensor of rank 1 or more')
  const axis = checkAxis('gather', options.axis === undefined ? 0 : options.axis, from.rank)
  checkIndices('gather', tensorOperand('gather', indices), from.shape[axis]!)
  return apply(gatherOperation, [from, indices], { axis })
}

// Whether the rows of all examples, behind each other, can be counted in float32.
const areExact = (size: number, rows: number): boolean => rows > 0 && size * rows <= 2 ** 24

// Indices among the rows of all examples.
function ofAll(indices: Tensor, rows: number): Tensor {
  const [size, ...shape] = indices.shape
  const first = reshape(arange(0, size! * rows, rows), [size!, ...shape.map(() => 1)])
  return add(indices, first)
}

interface Rows extends Along {
  readonly rows: number
}

export const scatterAddOperation: Operation<Rows, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Rows,
  [Tensor, Tensor]
>({
  name: 'scatterAdd',
  doc: 'rows of zeros, with each given row added to the one that its index names',
  shape: ([x, indices], { rows, axis }) => {
    const end = axis + indices!.shape.length
    if (!sameShape(x!.shape.slice(axis, end), indices!.shape)) {
      const along = axis === 0 ? '' : ` along axis ${axis}`
      failRange(
        'scatterAdd',
        `an index is needed for each row${along}, got rows ${showShape(x!.shape)} and indices ${showShape(indices!.shape)}`,
      )
    }
    return [...x!.shape.slice(0, axis), rows, ...x!.shape.slice(end)]
  },
  reference: ([x, indices], { rows, axis }, shape) => {
    const width = widthOf(shape, axis + 1)
    const count = indices!.values.length
    const result = new Float64Array(sizeOf(shape))
    for (let i = 0; i < x!.values.length; i++) {
      const row = Math.floor(i / width)
      const outer = Math.floor(row / count)
      result[(outer * rows + indices!.values[row % count]!) * width + (i % width)]! += x!.values[i]!
    }
    return result
  },
  kernel: (output, [x, indices], { rows, axis }) => {
    const width = widthOf(output.shape, axis + 1)
    const count = indices.size
    if (axis === 0) wasm().scatterAdd(x.offset, indices.offset, output.offset, count, rows, width)
    else {
      const blocks = outerOf(output.shape, axis)
      wasm().along(x.offset, indices.offset, output.offset, blocks, count, rows, width, 0, 1, 0, 1)
    }
  },
  vjp: [(g, _, [, indices], { axis }) => gather(g, indices, { axis }), null],
  batch: ([x, indices], { rows, axis }, isBatched, size) => {
    if (!isBatched[1]) return apply(scatterAddOperation, [x, indices], { rows, axis: axis + 1 })
    if (axis > 0 || !areExact(size, rows)) return null
    const all = isBatched[0] ? x : broadcastTo(x, [size, ...x.shape])
    return apply(scatterAddOperation, [all, ofAll(indices, rows)], { rows: size * rows, axis })
  },
})

/**
 * Rows of zeros with each row of `x` added to the one that its index names, in increasing order: the adjoint of `gather`.
 *
 * @param x the shape of `indices` followed by that of a row; with an axis, what is before it comes first
 * @param indices integers from 0 to rows - 1
 * @param rows how many rows come out
 * @param options.axis the axis of the result that rows lie along, 0 by default; negative ones count from its end
 * @throws RangeError when an index is no integer in range, or rows and indices do not match
 * @example
 * t.scatterAdd(t.tensor([1, 2, 4]), t.tensor([1, 1, 0]), 3).toArray() // => [4, 3, 0]
 * t.scatterAdd(t.tensor([[1, 2], [3, 4]]), t.tensor([1, 1]), 2, { axis: 1 }).toArray() // => [[0, 3], [0, 7]]
 */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number, options: GatherOptions = {}): Tensor {
  const from = tensorOperand('scatterAdd', x)
  const given = tensorOperand('scatterAdd', indices)
  checkOptions('scatterAdd', options, ['axis'])
  if (!Number.isInteger(rows) || rows < 0)
    failRange('scatterAdd', `rows must be an integer from 0 on, got ${shown(rows)}`)
  const axis =
    options.axis === undefined
      ? 0
      : checkAxis('scatterAdd', options.axis, Math.max(0, from.rank - given.rank) + 1)
  checkIndices('scatterAdd', given, rows)
  return apply(scatterAddOperation, [from, given], { rows, axis })
}

export const info: readonly OperationInfo[] = [
  {
    operation: gatherOperation,
    sample: (draw) => {
      const [rest, indices] = [draw.shape(0, 2), draw.shape(0, 2)]
      const axis = draw.integer(0, rest.length)
      const shape = [...rest.slice(0, axis), 6, ...rest.slice(axis)]
      return { shapes: [shape, indices], call: (x, at) => gather(x!, at!, axis === 0 ? {} : { axis }) }
    },
    domains: [ordinary, { low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => gather(tensor([[1], [2]]), tensor([2])),
        kind: 'RangeError',
        message: 'gather: index 2 at place 0 is not an integer from 0 to 1; count classes from 0',
      },
      {
        call: () => gather(tensor([[1]]), tensor([0]), { axis: 2 }),
        kind: 'RangeError',
        message: 'gather: axis 2 is out of range for rank 2; use -2 to 1',
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
      const [indices, rest] = [draw.shape(0, 2), draw.shape(0, 2)]
      const axis = draw.integer(0, rest.length)
      const shape = [...rest.slice(0, axis), ...indices, ...rest.slice(axis)]
      return { shapes: [shape, indices], call: (x, at) => scatterAdd(x!, at!, 7, { axis }) }
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
      {
        call: () => scatterAdd(tensor([[1, 2]]), tensor([0]), 3, { axis: 1 }),
        kind: 'RangeError',
        message: 'scatterAdd: an index is needed for each row along axis 1, got rows [1,2] and indices [1]',
      },
    ],
  },
]
