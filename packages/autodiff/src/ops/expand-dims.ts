import { tensorOperand } from '../apply.ts'
import { failType } from '../fail.ts'
import { checkAxes } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'

/**
 * The tensor with new axes of size 1. Nothing is copied: both live on the same memory.
 *
 * @param x any shape
 * @param axis where the new axis stands in the result, or where several do; negative ones count from the end of the result
 * @throws RangeError when an axis is out of range of the result, or named twice
 * @example
 * t.expandDims(t.tensor([1, 2]), 0).toArray() // => [[1, 2]]
 * t.expandDims(t.tensor([1, 2]), [0, -1]).shape // => [1, 2, 1]
 */
export function expandDims(x: Tensor, axis: number | readonly number[]): Tensor {
  const from = tensorOperand('expandDims', x)
  if (axis === undefined)
    failType('expandDims', 'axis must be an integer or an array of integers, got undefined')
  const rank = from.rank + (Array.isArray(axis) ? axis.length : 1)
  const axes = checkAxes('expandDims', axis, rank)
  let next = 0
  return reshape(
    from,
    Array.from({ length: rank }, (_, at) => (axes.includes(at) ? 1 : from.shape[next++]!)),
  )
}
