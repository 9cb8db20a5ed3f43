import { apply, tensorOperand } from '../apply.ts'
import { failRange, failType, kindOf } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo, type Shaped } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { checkAxis, showShape, sizeOf, stridesOf } from '../shape.ts'
import { stridedCopy } from '../strided-copy.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { slice } from './slice.ts'

interface Along {
  readonly axis: number
}

/** Where an input begins along the axis. */
function startOf(inputs: readonly Shaped[], index: number, axis: number): number {
  let at = 0
  for (let i = 0; i < index; i++) at += inputs[i]!.shape[axis]!
  return at
}

export const concatOperation: Operation<Along, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  Along,
  readonly Tensor[]
>({
  name: 'concat',
  doc: 'tensors joined along an axis',
  shape: (inputs, { axis }) => {
    const shape = inputs[0]!.shape
    for (const x of inputs) {
      if (x.shape.length !== shape.length || x.shape.some((size, i) => i !== axis && size !== shape[i])) {
        failRange(
          'concat',
          `shapes must agree but on axis ${axis}, got ${showShape(shape)} and ${showShape(x.shape)}`,
        )
      }
    }
    return shape.map((size, i) => (i === axis ? startOf(inputs, inputs.length, axis) : size))
  },
  reference: (inputs, { axis }, shape) => {
    const result = new Float64Array(sizeOf(shape))
    const row = sizeOf(shape.slice(axis))
    let start = 0
    for (const x of inputs) {
      const width = sizeOf(x.shape.slice(axis))
      for (let i = 0; i < x.values.length; i++)
        result[Math.floor(i / width) * row + start + (i % width)] = x.values[i]!
      start += width
    }
    return result
  },
  kernel: (output, inputs, { axis }) => {
    const strides = stridesOf(output.shape)
    let to = output.offset
    for (const x of inputs) {
      stridedCopy(x.shape, x.offset, stridesOf(x.shape), to, strides)
      to += 4 * strides[axis]! * x.shape[axis]!
    }
  },
  batch: 'axes',
  vjp: (g, _, inputs, { axis }, index) => {
    const begin = startOf(inputs, index, axis)
    const end = begin + inputs[index]!.shape[axis]!
    return slice(
      g,
      g.shape.map((_, i) => (i === axis ? begin : 0)),
      g.shape.map((size, i) => (i === axis ? end : size)),
    )
  },
})

/**
 * Tensors joined along an axis, in order.
 *
 * @param tensors at least one; shapes agree but on that axis
 * @param options.axis which axis, 0 by default
 * @throws RangeError when shapes disagree or there is no tensor
 * @example
 * t.concat([t.tensor([[1], [2]]), t.tensor([[3], [4]])], { axis: 1 }).toArray() // => [[1, 3], [2, 4]]
 */
export function concat(tensors: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  if (!Array.isArray(tensors)) failType('concat', `an array of tensors is needed, got ${kindOf(tensors)}`)
  if (tensors.length === 0) failRange('concat', 'at least one tensor is needed, got none')
  checkOptions('concat', options, ['axis'])
  // Array.from, not map, which leaves holes out.
  const inputs = Array.from(tensors, (x) => tensorOperand('concat', x))
  return apply(concatOperation, inputs, {
    axis: checkAxis('concat', options.axis === undefined ? 0 : options.axis, inputs[0]!.rank),
  })
}

export const info: readonly OperationInfo[] = [
  {
    operation: concatOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3)
      const axis = draw.integer(0, shape.length - 1)
      const shapes = Array.from({ length: draw.integer(1, 3) }, () =>
        shape.map((size, i) => (i === axis ? draw.integer(0, 5) : size)),
      )
      return { shapes, call: (...xs) => concat(xs, { axis }) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => concat([]),
        kind: 'RangeError',
        message: 'concat: at least one tensor is needed, got none',
      },
      {
        call: () => concat([tensor([[1]]), tensor([[1, 2]])]),
        kind: 'RangeError',
        message: 'concat: shapes must agree but on axis 0, got [1,1] and [1,2]',
      },
    ],
  },
]
