import { apply, tensorOperand } from '../apply.ts'
import { failRange, failType, kindOf, shown } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkAxes, stridesOf } from '../shape.ts'
import { stridedCopy, stridedValues } from '../strided-copy.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'

interface Order {
  /** The axis that comes to each place. */
  readonly order: readonly number[]
}

const moved = (sizes: readonly number[], { order }: Order): number[] => order.map((axis) => sizes[axis]!)

export const transposeOperation: Operation<Order, [Tensor]> = /*@__PURE__*/ defineOperation<Order, [Tensor]>({
  name: 'transpose',
  doc: 'the tensor with its axes in another order',
  shape: ([x], order) => moved(x!.shape, order),
  reference: ([x], order, shape) => stridedValues(shape, x!.values, 0, moved(stridesOf(x!.shape), order)),
  kernel: (output, [x], order) =>
    stridedCopy(
      output.shape,
      x.offset,
      moved(stridesOf(x.shape), order),
      output.offset,
      stridesOf(output.shape),
    ),
  batch: 'axes',
  vjp: [
    (g, _, _inputs, { order }) =>
      transpose(
        g,
        order.map((_, axis) => order.indexOf(axis)),
      ),
  ],
})

/**
 * The tensor with its axes in another order; reversed where none is given, which transposes a matrix.
 *
 * @param x any shape
 * @param axes the old axis that stands at each new place
 * @throws RangeError when `axes` does not name each axis once
 * @example
 * t.transpose(t.tensor([[1, 2], [3, 4]])).toArray() // => [[1, 3], [2, 4]]
 * t.transpose(t.zeros([2, 3, 5]), [1, 2, 0]).shape // => [3, 5, 2]
 */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  const from = tensorOperand('transpose', x)
  return ordered('transpose', from, axes === undefined ? from.shape.map((_, i) => from.rank - 1 - i) : axes)
}

/**
 * The tensor with its axes in another order: `transpose` under PyTorch's name, where the order must be given.
 *
 * @param x any shape
 * @param axes the old axis that stands at each new place; negative ones count from the end
 * @throws RangeError when `axes` does not name each axis once
 * @example
 * t.permute(t.zeros([2, 3, 5]), [1, 2, 0]).shape // => [3, 5, 2]
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  return ordered('permute', tensorOperand('permute', x), axes)
}

function ordered(operation: string, from: Tensor, axes: readonly number[]): Tensor {
  if (!Array.isArray(axes)) failType(operation, `axes must be an array, got ${kindOf(axes)}`)
  if (checkAxes(operation, axes, from.rank).length !== from.rank) {
    failRange(operation, `${from.rank} axes are needed, got ${shown(axes)}`, 'name each axis once')
  }
  const counted = axes.map((axis) => (axis < 0 ? axis + from.rank : axis))
  return counted.every((axis, i) => axis === i)
    ? alias(operation, from)
    : apply(transposeOperation, [from], { order: counted })
}

export const info: readonly OperationInfo[] = [
  {
    operation: transposeOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 4)
      const left = shape.map((_, axis) => axis)
      const axes = shape.map(() => left.splice(draw.integer(0, left.length - 1), 1)[0]!)
      return { shapes: [shape], call: (x) => transpose(x!, axes) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => transpose(tensor([[1]]), [0]),
        kind: 'RangeError',
        message: 'transpose: 2 axes are needed, got [0]; name each axis once',
      },
      {
        call: () => transpose(tensor([[1]]), [0, 0]),
        kind: 'RangeError',
        message: 'transpose: axis 0 is named twice; name each axis once',
      },
    ],
  },
]
