import { tensorOperand } from '../apply.ts'
import { failRange, failType, shown } from '../fail.ts'
import { checkAxes, checkAxis } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { transpose } from './transpose.ts'

/**
 * The tensor with an axis, or several, at another place; the others keep their order.
 *
 * @param x any shape
 * @param from the axis to move, or several; negative ones count from the end
 * @param to its place in the result, or as many
 * @throws RangeError when an axis is out of range, named twice, or there is not one place for each
 * @example
 * t.moveAxis(t.zeros([2, 3, 5]), 0, -1).shape // => [3, 5, 2]
 * t.moveAxis(t.zeros([2, 3, 5]), [0, 1], [-1, -2]).shape // => [5, 3, 2]
 */
export function moveAxis(
  x: Tensor,
  from: number | readonly number[],
  to: number | readonly number[],
): Tensor {
  const given = tensorOperand('moveAxis', x)
  const sources = counted(from, given.rank)
  const places = counted(to, given.rank)
  if (sources.length !== places.length)
    failRange('moveAxis', `a place is needed for each axis, got ${shown(from)} and ${shown(to)}`)
  const rest = given.shape.map((_, axis) => axis).filter((axis) => !sources.includes(axis))
  return transpose(
    given,
    given.shape.map((_, place) => sources[places.indexOf(place)] ?? rest.shift()!),
  )
}

function counted(axes: number | readonly number[], rank: number): readonly number[] {
  if (axes === undefined)
    failType('moveAxis', 'axis must be an integer or an array of integers, got undefined')
  checkAxes('moveAxis', axes, rank)
  return [axes].flat().map((axis) => checkAxis('moveAxis', axis, rank))
}
