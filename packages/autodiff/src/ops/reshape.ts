import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkShape, type Shape, sameShape, showShape, sizeOf } from '../shape.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'

interface Target {
  readonly shape: Shape
}

export const reshapeOperation: Operation<Target, [Tensor]> = /*@__PURE__*/ defineOperation<Target, [Tensor]>({
  name: 'reshape',
  doc: 'the same elements under another shape, on the same memory',
  shape: ([x], { shape }) => {
    if (sizeOf(x!.shape) !== sizeOf(shape)) {
      failRange(
        'reshape',
        `cannot read ${showShape(x!.shape)} as ${showShape(shape)}`,
        'the number of elements must stay',
      )
    }
    return shape
  },
  reference: ([x]) => x!.values,
  alias: () => 0,
  batch: 'axes',
  vjp: [(g, _, [x]) => reshape(g, x.shape)],
})

/**
 * The same elements in the same order under another shape. Nothing is copied: both live on the same memory.
 *
 * @param x any shape
 * @param shape sizes of the axes; one may be -1, and is then worked out
 * @throws RangeError when the number of elements would change
 * @example
 * t.reshape(t.tensor([1, 2, 3, 4]), [2, -1]).toArray() // => [[1, 2], [3, 4]]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const from = tensorOperand('reshape', x)
  if (Array.isArray(shape) && sameShape(from.shape, shape)) return alias('reshape', from)
  return apply(reshapeOperation, [from], { shape: checkShape('reshape', inferred(from, shape)) })
}

function inferred(x: Tensor, shape: Shape): Shape {
  // What is no size at all is left to the check of shapes.
  if (!Array.isArray(shape) || !shape.includes(-1) || !shape.every(Number.isInteger)) return shape
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1)
  if (shape.filter((size) => size === -1).length > 1 || x.size % known !== 0) {
    failRange(
      'reshape',
      `cannot work out -1 in ${showShape(shape)} for ${showShape(x.shape)}`,
      'one size may be -1, and must come out whole',
    )
  }
  return shape.map((size) => (size === -1 ? x.size / known : size))
}

export const info: readonly OperationInfo[] = [
  {
    operation: reshapeOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 3)
      const shapes = [[sizeOf(shape)], [1, ...shape], shape.toReversed(), [...shape, 1]]
      const to = draw.pick(shapes)
      return { shapes: [shape], call: (x) => reshape(x!, to) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => reshape(tensor([1, 2, 3]), [2, 2]),
        kind: 'RangeError',
        message: 'reshape: cannot read [3] as [2,2]; the number of elements must stay',
      },
      {
        call: () => reshape(tensor([1, 2, 3]), [2, -1]),
        kind: 'RangeError',
        message: 'reshape: cannot work out -1 in [2,-1] for [3]; one size may be -1, and must come out whole',
      },
    ],
  },
]
