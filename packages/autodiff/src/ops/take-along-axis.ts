import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { checkIndices } from '../indices.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { passing } from '../passing.ts'
import { broadcastShapes, checkAxis, type Shape, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { broadcastTo } from './sum.ts'

interface Along {
  readonly axis: number
}

export const takeAlongAxisOperation: Operation<Along, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Along,
  [Tensor, Tensor]
>({
  name: 'takeAlongAxis',
  doc: 'at each place the element along an axis that an index names',
  shape: ([, indices]) => indices!.shape,
  reference: ([x, indices], { axis }, shape) =>
    Float64Array.from(indices!.values, (index, i) => {
      const width = sizeOf(shape.slice(axis + 1))
      const block = Math.floor(i / (width * shape[axis]!))
      return x!.values[(block * x!.shape[axis]! + index) * width + (i % width)]!
    }),
  kernel: (output, [x, indices], { axis }) => {
    const width = sizeOf(output.shape.slice(axis + 1))
    const blocks = sizeOf(output.shape.slice(0, axis))
    const [count, size] = [output.shape[axis]!, x.shape[axis]!]
    const block = count * width
    wasm().along(output.offset, indices.offset, x.offset, blocks, count, size, width, block, width, 1, 0)
  },
  batch: 'axes',
  vjp: [
    (g, _, [x, indices], { axis }) =>
      apply(addAlongAxisOperation, [g, indices], { axis, size: x.shape[axis]! }),
    null,
  ],
})

interface Into extends Along {
  readonly size: number
}

/** The adjoint: zeros with each element added where its index says, in row-major order. Not one of `ops`. */
const addAlongAxisOperation: Operation<Into, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Into,
  [Tensor, Tensor]
>({
  name: 'addAlongAxis',
  doc: 'zeros, with each element added along an axis where its index says',
  shape: ([x], { axis, size }) => x!.shape.map((own, i) => (i === axis ? size : own)),
  reference: ([x, indices], { axis, size }, shape) => {
    const result = new Float64Array(sizeOf(shape))
    const width = sizeOf(shape.slice(axis + 1))
    for (const [i, value] of Array.from(x!.values).entries()) {
      const block = Math.floor(i / (width * x!.shape[axis]!))
      result[(block * size + indices!.values[i]!) * width + (i % width)]! += value
    }
    return result
  },
  kernel: (output, [x, indices], { axis, size }) => {
    const width = sizeOf(x.shape.slice(axis + 1))
    const blocks = sizeOf(x.shape.slice(0, axis))
    const count = x.shape[axis]!
    const block = count * width
    wasm().along(x.offset, indices.offset, output.offset, blocks, count, size, width, block, width, 1, 1)
  },
  batch: 'axes',
  vjp: [(g, _, [, indices], { axis }) => apply(takeAlongAxisOperation, [g, indices], { axis }), null],
})

/**
 * At each place the element of `x` along an axis that an index names: what `argMax` and sorting point at. The other axes
 * broadcast. Indices have no gradient; what is taken twice gets both cotangents.
 *
 * @param x rank 1 or more
 * @param indices of the rank of `x`: integers from 0 to the size of the axis - 1; negative ones are refused
 * @param options.axis which axis, the last one by default; negative ones count from the end
 * @returns the shape of `indices`, its other axes broadcast with those of `x`
 * @throws RangeError when an index is no integer in range: names it and its place; or the ranks differ
 * @example
 * t.takeAlongAxis(t.tensor([[1, 2], [3, 4]]), t.tensor([[1], [0]])).toArray() // => [[2], [3]]
 * t.takeAlongAxis(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 0]]), { axis: 0 }).toArray() // => [[3, 2]]
 */
export function takeAlongAxis(x: Tensor, indices: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const from = tensorOperand('takeAlongAxis', x)
  const given = tensorOperand('takeAlongAxis', indices)
  checkOptions('takeAlongAxis', options, ['axis'])
  const axis = checkAxis('takeAlongAxis', options.axis === undefined ? -1 : options.axis, from.rank)
  if (given.rank !== from.rank)
    failRange(
      'takeAlongAxis',
      `ranks differ, got ${showShape(from.shape)} and indices ${showShape(given.shape)}`,
      'give indices axes of size 1 with t.expandDims',
    )
  const withAxis = (shape: Shape, size: number): Shape => shape.map((own, i) => (i === axis ? size : own))
  const around = broadcastShapes('takeAlongAxis', [withAxis(from.shape, 1), withAxis(given.shape, 1)])
  checkIndices('takeAlongAxis', given, from.shape[axis]!)
  return passing(broadcastTo(from, withAxis(around, from.shape[axis]!)), (all) =>
    passing(broadcastTo(given, withAxis(around, given.shape[axis]!)), (places) =>
      apply(takeAlongAxisOperation, [all, places], { axis }),
    ),
  )
}

export const info: readonly OperationInfo[] = [
  {
    operation: takeAlongAxisOperation,
    sample: (draw) => {
      const rest = draw.shape(0, 2)
      const axis = draw.integer(0, rest.length)
      const shaped = (size: number): number[] => [
        ...rest.slice(0, axis).map((own) => draw.pick([own, own, 1])),
        size,
        ...rest.slice(axis).map((own) => draw.pick([own, own, 1])),
      ]
      const shapes = [shaped(6), shaped(draw.pick([3, 1, 5, 0]))]
      return { shapes, call: (x, at) => takeAlongAxis(x!, at!, { axis }) }
    },
    domains: [ordinary, { low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => takeAlongAxis(tensor([1, 2]), tensor([-1])),
        kind: 'RangeError',
        message: 'takeAlongAxis: index -1 at place 0 is not an integer from 0 to 1; count classes from 0',
      },
      {
        call: () => takeAlongAxis(tensor([[1, 2]]), tensor([1])),
        kind: 'RangeError',
        message:
          'takeAlongAxis: ranks differ, got [1,2] and indices [1]; give indices axes of size 1 with t.expandDims',
      },
      {
        call: () => takeAlongAxis(tensor([[1], [2]]), tensor([[0], [0], [0]])),
        kind: 'RangeError',
        message:
          'takeAlongAxis: shapes do not broadcast, got [2,1] and [3,1]; sizes must be equal or 1, matched from the last axis',
      },
    ],
  },
]
