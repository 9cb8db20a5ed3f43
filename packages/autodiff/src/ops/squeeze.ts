import { tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { checkAxes, showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'

/**
 * The tensor without axes of size 1. Nothing is copied: both live on the same memory.
 *
 * @param x any shape
 * @param options.axis which axes, one or several; all of size 1 by default; negative ones count from the end
 * @throws RangeError when an axis that is named is out of range, named twice, or of another size than 1
 * @example
 * t.squeeze(t.zeros([1, 3, 1])).shape // => [3]
 * t.squeeze(t.zeros([1, 3, 1]), { axis: -1 }).shape // => [1, 3]
 */
export function squeeze(x: Tensor, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  const from = tensorOperand('squeeze', x)
  checkOptions('squeeze', options, ['axis'])
  const { shape } = from
  if (options.axis === undefined)
    return reshape(
      from,
      shape.filter((size) => size !== 1),
    )
  const axes = checkAxes('squeeze', options.axis, from.rank)
  for (const axis of axes) {
    if (shape[axis] !== 1)
      failRange(
        'squeeze',
        `axis ${axis} has size ${shape[axis]}, got shape ${showShape(shape)}`,
        'name axes of size 1',
      )
  }
  return reshape(
    from,
    shape.filter((_, axis) => !axes.includes(axis)),
  )
}
