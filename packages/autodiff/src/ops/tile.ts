import { tensorOperand } from '../apply.ts'
import { failRange, shown } from '../fail.ts'
import { passing } from '../passing.ts'
import { checkShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'
import { broadcastTo } from './sum.ts'

/**
 * Copies of the whole tensor side by side. Its adjoint is the sum of the copies.
 *
 * @param x any shape
 * @param counts how many copies along each axis, from 0 on; a number for the last one. Where there are fewer counts than axes,
 * the first axes are not repeated; where there are more, the tensor gets axes of size 1 in front: as NumPy has it
 * @throws RangeError when a count is no integer from 0 on
 * @example
 * t.tile(t.tensor([1, 2]), 2).toArray() // => [1, 2, 1, 2]
 * t.tile(t.tensor([[1, 2]]), [2, 1]).toArray() // => [[1, 2], [1, 2]]
 */
export function tile(x: Tensor, counts: number | readonly number[]): Tensor {
  const from = tensorOperand('tile', x)
  const given: unknown[] = Array.isArray(counts) ? Array.from(counts) : [counts]
  if (!given.every((count) => Number.isInteger(count) && (count as number) >= 0))
    failRange('tile', `counts must be integers from 0 on, got ${shown(counts)}`)
  const rank = Math.max(from.rank, given.length)
  const times = [...new Array<number>(rank - given.length).fill(1), ...(given as number[])]
  const sizes = [...new Array<number>(rank - from.rank).fill(1), ...from.shape]
  const shape = checkShape(
    'tile',
    sizes.map((size, axis) => size * times[axis]!),
  )
  // Each axis is read as copies of itself: [2, 3] tiled by [5, 7] as [5, 2, 7, 3].
  return passing(
    reshape(
      from,
      sizes.flatMap((size) => [1, size]),
    ),
    (apart) =>
      passing(
        broadcastTo(
          apart,
          sizes.flatMap((size, axis) => [times[axis]!, size]),
        ),
        (copies) => reshape(copies, shape),
      ),
  )
}
