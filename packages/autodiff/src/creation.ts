import { tensorOperand } from './apply.ts'
import { failRange, failType, kindOf, shown } from './fail.ts'
import { heapFloats } from './memory.ts'
import { checkShape, type Shape } from './shape.ts'
import { allocateTensor, type Tensor } from './tensor.ts'

/**
 * A tensor with every element equal to `value`.
 *
 * @example
 * t.full([2, 2], 7).toArray() // => [[7, 7], [7, 7]]
 */
export function full(shape: Shape, value: number): Tensor {
  if (typeof value !== 'number') failType('full', `the value must be a number, got ${kindOf(value)}`)
  return filledWith('full', shape, value)
}

function filledWith(operation: string, shape: Shape, value: number): Tensor {
  const made = allocateTensor(checkShape(operation, shape))
  heapFloats().fill(value, made.offset / 4, made.offset / 4 + made.size)
  return made
}

/**
 * A tensor of zeros.
 *
 * @example
 * t.zeros([3]).toArray() // => [0, 0, 0]
 */
export function zeros(shape: Shape): Tensor {
  return filledWith('zeros', shape, 0)
}

/**
 * A tensor of ones.
 *
 * @example
 * t.ones([1, 2]).toArray() // => [[1, 1]]
 */
export function ones(shape: Shape): Tensor {
  return filledWith('ones', shape, 1)
}

/**
 * Zeros of the shape of `x`.
 *
 * @example
 * t.zerosLike(t.tensor([1, 2])).toArray() // => [0, 0]
 */
export function zerosLike(x: Tensor): Tensor {
  return filledWith('zerosLike', tensorOperand('zerosLike', x).shape, 0)
}

/**
 * Ones of the shape of `x`.
 *
 * @example
 * t.onesLike(t.tensor([1, 2])).toArray() // => [1, 1]
 */
export function onesLike(x: Tensor): Tensor {
  return filledWith('onesLike', tensorOperand('onesLike', x).shape, 1)
}

/**
 * The identity matrix: ones where row and column are equal.
 *
 * @param rows number of rows
 * @param columns number of columns, as many as rows where it is left out
 * @example
 * t.eye(2).toArray() // => [[1, 0], [0, 1]]
 */
export function eye(rows: number, columns: number = rows): Tensor {
  const made = zeros(checkShape('eye', [rows, columns]))
  for (let i = 0; i < Math.min(rows, columns); i++) heapFloats()[made.offset / 4 + i * columns + i] = 1
  return made
}

/**
 * The numbers from `start` up to but without `stop`, `step` apart; with one argument from 0 up to it.
 *
 * @throws RangeError when the step is 0, a number is not finite, or integers go beyond 2^24, where float32 skips some
 * @example
 * t.arange(3).toArray() // => [0, 1, 2]
 * t.arange(1, 2, 0.25).toArray() // => [1, 1.25, 1.5, 1.75]
 */
export function arange(start: number, stop?: number, step = 1): Tensor {
  const from = stop === undefined ? 0 : start
  const to = stop === undefined ? start : stop
  if (!Number.isFinite(from) || !Number.isFinite(to) || !Number.isFinite(step) || step === 0) {
    failRange(
      'arange',
      `start, stop and step must be finite and step not 0, got ${[from, to, step].map((x) => shown(x)).join(', ')}`,
    )
  }
  const count = Math.max(0, Math.ceil((to - from) / step))
  const last = from + (count - 1) * step
  if (
    count > 0 &&
    Number.isInteger(from) &&
    Number.isInteger(step) &&
    Math.max(Math.abs(from), Math.abs(last)) > 2 ** 24
  ) {
    failRange('arange', `integers are exact to 2^24, got ${from} to ${last}`, 'use smaller numbers')
  }
  return filled('arange', count, (i) => from + i * step)
}

/**
 * `count` numbers evenly spaced from `start` to `stop`, both included.
 *
 * @throws RangeError when `count` is not a positive integer or an end is not finite
 * @example
 * t.linspace(0, 1, 5).toArray() // => [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(start: number, stop: number, count: number): Tensor {
  if (!Number.isFinite(start) || !Number.isFinite(stop))
    failRange('linspace', `start and stop must be finite, got ${shown(start)} and ${shown(stop)}`)
  if (!Number.isInteger(count) || count < 1)
    failRange('linspace', `count must be an integer from 1 on, got ${shown(count)}`)
  return filled('linspace', count, (i) => (count === 1 ? start : start + ((stop - start) * i) / (count - 1)))
}

function filled(operation: string, count: number, value: (i: number) => number): Tensor {
  const made = allocateTensor(checkShape(operation, [count]))
  const floats = heapFloats()
  for (let i = 0; i < count; i++) floats[made.offset / 4 + i] = value(i)
  return made
}
