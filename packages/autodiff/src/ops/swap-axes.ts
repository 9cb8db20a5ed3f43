import { tensorOperand } from '../apply.ts'
import { checkAxis } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { transpose } from './transpose.ts'

/**
 * The tensor with two axes in each other's place.
 *
 * @param x rank 1 or more
 * @param first an axis; negative ones count from the end
 * @param second the axis to swap it with
 * @throws RangeError when an axis is out of range
 * @example
 * t.swapAxes(t.zeros([2, 3, 5]), 0, -1).shape // => [5, 3, 2]
 */
export function swapAxes(x: Tensor, first: number, second: number): Tensor {
  const from = tensorOperand('swapAxes', x)
  const a = checkAxis('swapAxes', first, from.rank)
  const b = checkAxis('swapAxes', second, from.rank)
  return transpose(
    from,
    from.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
  )
}
