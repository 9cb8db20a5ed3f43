import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { ordinary, reduceSample } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  keptShape,
  type Reduced,
  type ReduceOptions,
  reduced,
  reducedShape,
  reduceReference,
  reduceWith,
  sumScratch,
} from '../reduction.ts'
import {
  broadcastPair,
  broadcastStrides,
  checkShape,
  isSuffix,
  type Shape,
  sameShape,
  showShape,
  stridesOf,
} from '../shape.ts'
import { stridedCopy, stridedValues } from '../strided-copy.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'
import { reshapeOperation } from './reshape.ts'

export const sumOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>({
  name: 'sum',
  doc: 'the sum over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], { axes }) => reduceReference(x!, axes, 0, (sum, value) => sum + value),
  reduces: ({ axes }) => axes,
  fromSum: (sum) => sum,
  scratch: ([x], { axes }) => sumScratch(x!, axes),
  kernel: (output, [x], { axes }, scratch) => reduceWith(wasm().reduceSum, output, x, axes, scratch),
  vjp: [(g, _, [x], { axes }) => spread(g, x.shape, axes)],
})

/**
 * The sum of elements over axes; 0 where there are none. Long sums lose no more than a few units in the last place.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.sum(t.tensor([[1, 2], [3, 4]])).item() // => 10
 * t.sum(t.tensor([[1, 2], [3, 4]]), { axis: 0 }).toArray() // => [4, 6]
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('sum', x)
  return apply(sumOperation, [from], reduced('sum', from, options))
}

interface Target {
  readonly shape: Shape
}

export const broadcastToOperation: Operation<Target, [Tensor]> = /*@__PURE__*/ defineOperation<
  Target,
  [Tensor]
>({
  name: 'broadcastTo',
  doc: 'the tensor, repeated along axes of size 1 and missing ones',
  shape: ([x], { shape }) => {
    if (!sameShape(broadcastPair('broadcastTo', x!.shape, shape), shape)) {
      failRange(
        'broadcastTo',
        `${showShape(x!.shape)} does not broadcast to ${showShape(shape)}`,
        'sizes must be equal or 1, matched from the last axis',
      )
    }
    return shape
  },
  reference: ([x], _, shape) => stridedValues(shape, x!.values, 0, broadcastStrides(x!.shape, shape)),
  expression: (x) => x,
  kernel: (output, [x]) => {
    const { shape, offset, size } = output
    if (x.size === 1) {
      wasm().stridedCopy(x.offset, offset, 1, 1, 1, size, 0, 0, 0, 0, 0, 0, 0, 1)
      return
    }
    // Repeated as a whole, as nearly always.
    if (isSuffix(x.shape, shape)) {
      wasm().stridedCopy(x.offset, offset, 1, 1, size / x.size, x.size, 0, 0, 0, 1, 0, 0, x.size, 1)
      return
    }
    stridedCopy(shape, x.offset, broadcastStrides(x.shape, shape), offset, stridesOf(shape))
  },
  vjp: [(g, _, [x]) => sumTo(g, x.shape)],
})

/**
 * The tensor repeated along axes of size 1, and missing ones in front, until it has `shape`: NumPy's broadcasting. Its
 * adjoint is the sum over what was repeated.
 *
 * @throws RangeError when `x` does not broadcast to `shape`
 * @example
 * t.broadcastTo(t.tensor([1, 2]), [2, 2]).toArray() // => [[1, 2], [1, 2]]
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const from = tensorOperand('broadcastTo', x)
  return Array.isArray(shape) && sameShape(from.shape, shape)
    ? alias('broadcastTo', from)
    : apply(broadcastToOperation, [from], { shape: checkShape('broadcastTo', shape) })
}

/**
 * The adjoint of broadcasting: `x` summed to `shape`, which broadcasts to its own; `x` itself where nothing is to be summed.
 *
 * @example
 * t.sumTo(t.tensor([[1, 2], [3, 4]]), [2, 1]).toArray() // => [[3], [7]]
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const from = tensorOperand('sumTo', x)
  if (Array.isArray(shape) && sameShape(from.shape, shape)) return x
  checkShape('sumTo', shape)
  const missing = x.rank - shape.length
  if (missing < 0 || shape.some((size, i) => size !== 1 && size !== x.shape[missing + i])) {
    failRange(
      'sumTo',
      `${showShape(shape)} does not broadcast to ${showShape(x.shape)}`,
      'sizes must be equal or 1, matched from the last axis',
    )
  }
  return summedTo(from, shape)
}

/** @internal `sumTo`, of a shape that is known to broadcast to that of `x` */
export function summedTo(x: Tensor, shape: Shape): Tensor {
  const from = x.shape
  if (sameShape(from, shape)) return x
  const missing = from.length - shape.length
  const axes: number[] = []
  for (let axis = 0; axis < from.length; axis++) {
    if (axis < missing || (shape[axis - missing] === 1 && from[axis] !== 1)) axes.push(axis)
  }
  const summed = apply(sumOperation, [x], { axes, keepDims: false })
  return axes.length === missing ? summed : apply(reshapeOperation, [summed], { shape })
}

/** @internal the adjoint of a sum over `axes` of a tensor of `shape`: the cotangent, with or without those axes, repeated along them */
export function spread(g: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  // Axes that are missing in front are found by broadcasting.
  const isOfFirst = axes.length === 0 || axes[axes.length - 1]! < axes.length
  const isKept = isOfFirst || g.shape.length === shape.length
  const kept = isKept ? g : apply(reshapeOperation, [g], { shape: keptShape(shape, axes) })
  return sameShape(kept.shape, shape) ? kept : apply(broadcastToOperation, [kept], { shape })
}

export const info: readonly OperationInfo[] = [
  {
    operation: sumOperation,
    sample: reduceSample(sum),
    domains: [ordinary],
    ulps: 4,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => sum(tensor([1]), { axis: 1 }),
        kind: 'RangeError',
        message: 'sum: axis 1 is out of range for rank 1; use -1 to 0',
      },
      {
        call: () => sum(tensor([[1]]), { axis: [0, -2] }),
        kind: 'RangeError',
        message: 'sum: axis 0 is named twice; name each axis once',
      },
      {
        call: () => sum(1 as unknown as Tensor),
        kind: 'TypeError',
        message: 'sum: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
      },
    ],
  },
  {
    operation: broadcastToOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 4)
      const from = shape
        .slice(draw.integer(0, shape.length))
        .map((size) => (draw.integer(0, 1) === 1 ? 1 : size))
      return { shapes: [from], call: (x) => broadcastTo(x!, shape) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => broadcastTo(tensor([1, 2]), [3]),
        kind: 'RangeError',
        message:
          'broadcastTo: shapes do not broadcast, got [2] and [3]; sizes must be equal or 1, matched from the last axis',
      },
      {
        call: () => broadcastTo(tensor([1, 2]), [1]),
        kind: 'RangeError',
        message:
          'broadcastTo: [2] does not broadcast to [1]; sizes must be equal or 1, matched from the last axis',
      },
    ],
  },
]
