import { apply, tensorOperand } from '../apply.ts'
import { failRange, shown } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { passing } from '../passing.ts'
import { checkAxes, sizeOf, stridesOf } from '../shape.ts'
import { stridedCopy } from '../strided-copy.ts'
import { alias, type Tensor, tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'

/** By how much, from 0 to below the size of the axis. */
interface Shift {
  readonly shift: number
  readonly axis: number
}

export const rollOperation: Operation<Shift, [Tensor]> = /*@__PURE__*/ defineOperation<Shift, [Tensor]>({
  name: 'roll',
  doc: 'the tensor moved along an axis, what leaves at the end coming in at the front',
  shape: ([x]) => x!.shape,
  reference: ([x], { shift, axis }) => {
    const size = x!.shape[axis]!
    const width = sizeOf(x!.shape.slice(axis + 1))
    return Float64Array.from(x!.values, (_, i) => {
      const at = Math.floor(i / width) % size
      return x!.values[i + (((at - shift + size) % size) - at) * width]!
    })
  },
  kernel: (output, [x], { shift, axis }) => {
    const { shape } = output
    const strides = stridesOf(shape)
    const stay = shape.slice()
    const leave = shape.slice()
    stay[axis] = shape[axis]! - shift
    leave[axis] = shift
    const step = 4 * strides[axis]!
    stridedCopy(stay, x.offset, strides, output.offset + shift * step, strides)
    stridedCopy(leave, x.offset + stay[axis]! * step, strides, output.offset, strides)
  },
  batch: 'axes',
  vjp: [(g, _, [x], { shift, axis }) => apply(rollOperation, [g], { shift: x.shape[axis]! - shift, axis })],
})

/**
 * The tensor moved along axes: what leaves at the end of one comes in at its front.
 *
 * @param x any shape
 * @param shift by how many places, negative to the front; with several axes one for all, or one for each
 * @param options.axis which axes, one or several; without it the elements are moved in row-major order, across rows
 * @throws RangeError when a shift is no integer, an axis is out of range or named twice, or there is not one shift for each
 * @example
 * t.roll(t.tensor([1, 2, 3, 4]), 1).toArray() // => [4, 1, 2, 3]
 * t.roll(t.tensor([[1, 2, 3], [4, 5, 6]]), -1, { axis: 1 }).toArray() // => [[2, 3, 1], [5, 6, 4]]
 */
export function roll(
  x: Tensor,
  shift: number | readonly number[],
  options: { readonly axis?: number | readonly number[] } = {},
): Tensor {
  const from = tensorOperand('roll', x)
  checkOptions('roll', options, ['axis'])
  const { axis } = options
  if (axis !== undefined) checkAxes('roll', axis, from.rank)
  const axes = axis === undefined ? [0] : [axis].flat()
  const shifts = Array.from(Array.isArray(shift) ? shift : axes.map(() => shift))
  if (shifts.length !== axes.length || !shifts.every((by) => Number.isInteger(by)))
    failRange('roll', `an integer is needed, or one for each of ${axes.length} axes, got ${shown(shift)}`)
  if (axis === undefined)
    return passing(reshape(from, [from.size]), (flat) =>
      passing(along(flat, axes, shifts), (moved) => reshape(moved, from.shape)),
    )
  return along(from, axes, shifts)
}

function along(x: Tensor, axes: readonly number[], shifts: readonly number[]): Tensor {
  let moved = alias('roll', x)
  for (const [i, given] of axes.entries()) {
    const axis = given < 0 ? given + x.rank : given
    const size = x.shape[axis]!
    const shift = size === 0 ? 0 : ((shifts[i]! % size) + size) % size
    if (shift !== 0) moved = passing(moved, (before) => apply(rollOperation, [before], { shift, axis }))
  }
  return moved
}

export const info: readonly OperationInfo[] = [
  {
    operation: rollOperation,
    sample: (draw) => {
      const shape = draw.shape(0, 3)
      const axis = shape.map((_, i) => i).filter(() => draw.integer(0, 2) !== 1)
      const shift = draw.pick([1, -1, 7, 0])
      const shifts = axis.map(() => draw.integer(-6, 6))
      const call = draw.pick([
        (x: Tensor) => roll(x, shift),
        (x: Tensor) => roll(x, shift, { axis }),
        (x: Tensor) => roll(x, shifts, { axis }),
      ])
      return { shapes: [shape], call: (x) => call(x!) }
    },
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => roll(tensor([1, 2]), 0.5),
        kind: 'RangeError',
        message: 'roll: an integer is needed, or one for each of 1 axes, got 0.5',
      },
      {
        call: () => roll(tensor([1, 2]), [1, 2], { axis: 0 }),
        kind: 'RangeError',
        message: 'roll: an integer is needed, or one for each of 1 axes, got [1,2]',
      },
      {
        call: () => roll(tensor([1, 2]), 1, { axis: 1 }),
        kind: 'RangeError',
        message: 'roll: axis 1 is out of range for rank 1; use -1 to 0',
      },
    ],
  },
]
