import { tensorOperand } from '../apply.ts'
import { failRange, failType, shown } from '../fail.ts'
import { Key, split as splitKey } from '../key.ts'
import { checkOptions } from '../options.ts'
import { checkAxis, showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { slice } from './slice.ts'

/**
 * The parts of a tensor along an axis, in order: the inverse of `concat`. Along axis 0 they live on its memory, as `slice` does.
 *
 * @param x rank 1 or more
 * @param parts into how many equal parts, or the size of each part: not the points between them, as NumPy has it
 * @param options.axis which axis, 0 by default; negative ones count from the end
 * @throws RangeError when parts cannot be equal, or sizes do not add up to the axis
 * @example
 * const [a, b] = t.split(t.tensor([1, 2, 3, 4]), 2)
 * b.toArray() // => [3, 4]
 * const [head, tail] = t.split(t.tensor([[1, 2, 3]]), [1, 2], { axis: 1 })
 * tail.toArray() // => [[2, 3]]
 */
export function split(
  x: Tensor,
  parts: number | readonly number[],
  options?: { readonly axis?: number },
): Tensor[]
/**
 * Keys that are independent of each other and of the numbers drawn from `parent`. The first ones do not depend on how many
 * there are.
 *
 * @param n how many, an integer of at least 0; 2 by default
 * @throws RangeError when `n` is no such integer
 * @example
 * const [weights, noise] = t.split(t.key(42))
 * assert.notDeepEqual(weights, noise)
 * assert.deepEqual(t.split(t.key(42), 5)[1], noise)
 */
export function split(parent: Key, n?: number): Key[]
export function split(
  x: Tensor | Key,
  parts?: number | readonly number[],
  options: { readonly axis?: number } = {},
): Tensor[] | Key[] {
  if (x instanceof Key) return splitKey(x, parts as number | undefined)
  const from = tensorOperand('split', x)
  checkOptions('split', options, ['axis'])
  const axis = checkAxis('split', options.axis === undefined ? 0 : options.axis, from.rank)
  const sizes = sizesOf(parts, from, axis)
  const begin = from.shape.map(() => 0)
  const end = from.shape.slice()
  end[axis] = 0
  return sizes.map((size) => {
    begin[axis] = end[axis]!
    end[axis] = begin[axis] + size
    return slice(from, begin, end)
  })
}

function sizesOf(parts: unknown, { shape }: Tensor, axis: number): readonly number[] {
  const whole = shape[axis]!
  const where = `axis ${axis} of shape ${showShape(shape)}`
  if (typeof parts === 'number') {
    if (!Number.isInteger(parts) || parts < 1 || whole % parts !== 0)
      failRange('split', `${where} has no ${parts} equal parts`, 'pass the size of each part')
    return new Array<number>(parts).fill(whole / parts)
  }
  if (!Array.isArray(parts))
    failType('split', `parts must be an integer or an array of sizes, got ${shown(parts)}`)
  const sizes: unknown[] = Array.from(parts)
  let total = 0
  for (const size of sizes)
    total += Number.isInteger(size) && (size as number) >= 0 ? (size as number) : Number.NaN
  if (total !== whole)
    failRange('split', `sizes ${shown(parts)} do not add up to ${where}`, 'pass the size of each part')
  return sizes as number[]
}
