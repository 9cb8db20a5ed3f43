import { tensorOperand } from '../apply.ts'
import { failRange, failType, kindOf } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { passing } from '../passing.ts'
import { checkShape, showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'
import { broadcastTo } from './sum.ts'

/**
 * The coordinates of every point of a grid: for each axis of it one tensor, all of the grid's shape.
 *
 * @param tensors the coordinates along each axis, rank 1; a scalar is an axis of size 1
 * @param options.indexing 'xy' by default, as NumPy has it: of two axes the first runs along columns, so that the shape begins
 * with the sizes of the second and the first; 'ij', as PyTorch has it: each runs along its own axis
 * @returns as many tensors as there are given
 * @throws RangeError when a tensor has more than one axis
 * @example
 * const [x, y] = t.meshgrid([t.tensor([1, 2, 3]), t.tensor([8, 9])])
 * x.toArray() // => [[1, 2, 3], [1, 2, 3]]
 * y.toArray() // => [[8, 8, 8], [9, 9, 9]]
 * t.meshgrid([t.zeros([3]), t.zeros([2])], { indexing: 'ij' })[0].shape // => [3, 2]
 */
export function meshgrid(
  tensors: readonly Tensor[],
  options: { readonly indexing?: 'xy' | 'ij' } = {},
): Tensor[] {
  if (!Array.isArray(tensors)) failType('meshgrid', `an array of tensors is needed, got ${kindOf(tensors)}`)
  checkOptions('meshgrid', options, ['indexing'])
  const { indexing = 'xy' } = options
  if (indexing !== 'xy' && indexing !== 'ij')
    failRange(
      'meshgrid',
      `indexing must be 'xy' or 'ij', got ${typeof indexing === 'string' ? `'${indexing}'` : kindOf(indexing)}`,
    )
  // Array.from, not map, which leaves holes out.
  const given = Array.from(tensors, (x) => tensorOperand('meshgrid', x))
  for (const { shape } of given) {
    if (shape.length > 1)
      failRange('meshgrid', `coordinates have one axis, got shape ${showShape(shape)}`, 'flatten them first')
  }
  const places = given.map((_, i) => (indexing === 'xy' && given.length > 1 && i < 2 ? 1 - i : i))
  const grid = checkShape(
    'meshgrid',
    places.map((from) => given[from]!.size),
  )
  return given.map((x, i) =>
    passing(
      reshape(
        x,
        grid.map((size, axis) => (axis === places[i] ? size : 1)),
      ),
      (line) => broadcastTo(line, grid),
    ),
  )
}
