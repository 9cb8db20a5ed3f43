import { apply, tensorOperand } from '../apply.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { checkAxes, stridesOf } from '../shape.ts'
import { stridedCopy } from '../strided-copy.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'

interface Axes {
  readonly axes: readonly number[]
}

export const flipOperation: Operation<Axes, [Tensor]> = /*@__PURE__*/ defineOperation<Axes, [Tensor]>({
  name: 'flip',
  doc: 'the tensor with axes read backwards',
  shape: ([x]) => x!.shape,
  reference: ([x], { axes }) => {
    const strides = stridesOf(x!.shape)
    return Float64Array.from(x!.values, (_, i) => {
      let from = 0
      for (const [axis, size] of x!.shape.entries()) {
        const at = Math.floor(i / strides[axis]!) % size
        from += strides[axis]! * (axes.includes(axis) ? size - 1 - at : at)
      }
      return x!.values[from]!
    })
  },
  kernel: (output, [x], { axes }) => {
    const { shape } = output
    const strides = stridesOf(shape)
    const reads = strides.slice()
    let last = 0
    for (const axis of axes) {
      last += (shape[axis]! - 1) * strides[axis]!
      reads[axis] = -strides[axis]!
    }
    stridedCopy(shape, x.offset + 4 * last, reads, output.offset, strides)
  },
  batch: 'axes',
  vjp: [(g, _, _inputs, { axes }) => flip(g, { axis: axes })],
})

/**
 * The tensor with axes read backwards.
 *
 * @param x any shape
 * @param options.axis which axes, one or several; all by default; negative ones count from the end
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.flip(t.tensor([[1, 2], [3, 4]])).toArray() // => [[4, 3], [2, 1]]
 * t.flip(t.tensor([[1, 2], [3, 4]]), { axis: 1 }).toArray() // => [[2, 1], [4, 3]]
 */
export function flip(x: Tensor, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  const from = tensorOperand('flip', x)
  checkOptions('flip', options, ['axis'])
  const axes = checkAxes('flip', options.axis, from.rank)
  return axes.every((axis) => from.shape[axis] === 1)
    ? alias('flip', from)
    : apply(flipOperation, [from], { axes })
}

export const info: readonly OperationInfo[] = [
  {
    operation: flipOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 4)
      const axis = shape.map((_, i) => i).filter(() => draw.integer(0, 2) !== 1)
      return { shapes: [shape], call: (x) => flip(x!, { axis }) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => flip(tensor([1, 2]), { axis: 1 }),
        kind: 'RangeError',
        message: 'flip: axis 1 is out of range for rank 1; use -1 to 0',
      },
      {
        call: () => flip(tensor([[1, 2]]), { axis: [1, -1] }),
        kind: 'RangeError',
        message: 'flip: axis 1 is named twice; name each axis once',
      },
    ],
  },
]
