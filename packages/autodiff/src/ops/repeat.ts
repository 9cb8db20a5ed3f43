import { tensorOperand } from '../apply.ts'
import { failRange, shown } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { passing } from '../passing.ts'
import { checkAxis, checkShape, showShape } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { gather } from './gather.ts'
import { reshape } from './reshape.ts'
import { broadcastTo } from './sum.ts'

/**
 * Each element, or each row along an axis, several times in a row. Its adjoint is the sum of the copies.
 *
 * @param x any shape
 * @param counts how often, from 0 on: one for all, or one for each along the axis
 * @param options.axis which axis; without it the tensor is flattened first; negative ones count from the end
 * @throws RangeError when a count is no integer from 0 on, there is not one for each, or the axis is out of range
 * @example
 * t.repeat(t.tensor([1, 2]), 2).toArray() // => [1, 1, 2, 2]
 * t.repeat(t.tensor([[1, 2], [3, 4]]), [2, 1], { axis: 0 }).toArray() // => [[1, 2], [1, 2], [3, 4]]
 */
export function repeat(
  x: Tensor,
  counts: number | readonly number[],
  options: { readonly axis?: number } = {},
): Tensor {
  const from = tensorOperand('repeat', x)
  checkOptions('repeat', options, ['axis'])
  const axis = options.axis === undefined ? 0 : checkAxis('repeat', options.axis, from.rank)
  const shape = options.axis === undefined ? [from.size] : from.shape
  const size = shape[axis]!
  const given: unknown[] = Array.isArray(counts) ? Array.from(counts) : [counts]
  if (!given.every((count) => Number.isInteger(count) && (count as number) >= 0))
    failRange('repeat', `counts must be integers from 0 on, got ${shown(counts)}`)
  if (given.length !== 1 && given.length !== size)
    failRange(
      'repeat',
      `one count is needed, or ${size} of them, got ${given.length}`,
      `axis ${axis} of ${showShape(shape)} is repeated`,
    )
  const times = given as number[]
  const total = times.length === 1 ? size * times[0]! : times.reduce((sum, count) => sum + count, 0)
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)]
  const result = checkShape('repeat', [...before, total, ...after])
  if (times.length === 1)
    return passing(reshape(from, [...before, size, 1, ...after]), (apart) =>
      passing(broadcastTo(apart, [...before, size, times[0]!, ...after]), (copies) =>
        reshape(copies, result),
      ),
    )
  const indices = times.flatMap((count, i) => new Array<number>(count).fill(i))
  return passing(reshape(from, shape), (rows) =>
    passing(tensor(indices), (chosen) => gather(rows, chosen, { axis })),
  )
}
