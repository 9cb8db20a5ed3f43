import { apply, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { failRange } from '../fail.ts'
import { reduceSample } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  type Reduced,
  type ReduceOptions,
  reduced,
  reducedCount,
  reducedShape,
  reduceReference,
  reduceScratch,
  reduceWith,
} from '../reduction.ts'
import { showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { argMax } from './arg-max.ts'
import { mul } from './mul.ts'
import { oneHot } from './one-hot.ts'
import { reshape } from './reshape.ts'
import { transpose } from './transpose.ts'

export const maxOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>({
  name: 'max',
  doc: 'the largest element over axes; NaN where one is',
  shape: ([x], attributes) => {
    const shape = reducedShape(x!.shape, attributes)
    if (reducedCount(x!.shape, attributes.axes) === 0 && sizeOf(shape) > 0) {
      failRange(
        'max',
        `there is no largest of no elements, got shape ${showShape(x!.shape)}`,
        'reduce axes that are not empty',
      )
    }
    return shape
  },
  reference: ([x], { axes }) => reduceReference(x!, axes, Number.NEGATIVE_INFINITY, Math.max),
  reduces: ({ axes }) => axes,
  scratch: ([x], { axes }) => reduceScratch(x!, axes),
  kernel: (output, [x], { axes }, scratch) => reduceWith(wasm().reduceMax, output, x, axes, scratch),
  vjp: [
    (g, _, [x], { axes }) => {
      // Reduced axes go last and become one, so that each maximum has one place in one row.
      const rest = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
      const order = [...rest, ...axes]
      const moved = transpose(x, order)
      const count = reducedCount(x.shape, axes)
      const rows = sizeOf(rest.map((axis) => x.shape[axis]!))
      // Nothing of nothing has no place either.
      if (x.size === 0) return zeros(x.shape)
      const places = oneHot(argMax(reshape(moved, [rows, count])), count)
      const spread = reshape(mul(places, reshape(g, [rows, 1])), moved.shape)
      return transpose(
        spread,
        order.map((_, axis) => order.indexOf(axis)),
      )
    },
  ],
})

/**
 * The largest element over axes; NaN where one is NaN. Where several are largest the gradient goes to the first.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range, named twice, or there is nothing to reduce
 * @example
 * t.max(t.tensor([[1, 5], [3, 4]]), { axis: 1 }).toArray() // => [5, 4]
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('max', x)
  return apply(maxOperation, [from], reduced('max', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: maxOperation,
    sample: reduceSample(max, 1),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      {
        call: () => max(tensor([], [0])),
        kind: 'RangeError',
        message: 'max: there is no largest of no elements, got shape [0]; reduce axes that are not empty',
      },
    ],
  },
]
