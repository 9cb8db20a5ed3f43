import { tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { checkAxis, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { reshape } from './reshape.ts'

/**
 * The tensor with neighbouring axes made one, all of them by default. Nothing is copied: both live on the same memory. A scalar
 * becomes an axis of size 1.
 *
 * @param x any shape
 * @param options.from the first axis of those that become one; 0 by default, and 1 keeps a batch apart
 * @param options.to the last of them; -1 by default, which is the last axis
 * @throws RangeError when an axis is out of range, or `to` comes before `from`
 * @example
 * t.flatten(t.tensor([[1, 2], [3, 4]])).toArray() // => [1, 2, 3, 4]
 * t.flatten(t.zeros([8, 28, 28, 3]), { from: 1 }).shape // => [8, 2352]
 */
export function flatten(x: Tensor, options: { readonly from?: number; readonly to?: number } = {}): Tensor {
  const given = tensorOperand('flatten', x)
  checkOptions('flatten', options, ['from', 'to'])
  const rank = Math.max(1, given.rank)
  const from = checkAxis('flatten', options.from === undefined ? 0 : options.from, rank)
  const to = checkAxis('flatten', options.to === undefined ? -1 : options.to, rank)
  if (to < from) failRange('flatten', `axes ${from} to ${to} are no run`, 'name the first axis by from')
  const { shape } = given
  return reshape(given, [...shape.slice(0, from), sizeOf(shape.slice(from, to + 1)), ...shape.slice(to + 1)])
}
