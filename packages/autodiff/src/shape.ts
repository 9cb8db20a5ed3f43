import { failRange, failType, kindOf, shown } from './fail.ts'

/** The sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/**
 * The number of elements of a shape: the product of its sizes.
 *
 * @example
 * t.sizeOf([2, 3]) // => 6
 */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]!
  return size
}

/**
 * The words of a shape in an error.
 *
 * @example
 * t.showShape([2, 3]) // => '[2,3]'
 */
export function showShape(shape: Shape): string {
  return `[${shape.join(',')}]`
}

/**
 * Whether two shapes are the same.
 *
 * @example
 * t.sameShape([2, 3], [3, 2]) // => false
 */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * The shape that shapes broadcast to, as NumPy defines it: axes are matched from the last; a size of 1, or a
 * missing axis, stretches to the other's size.
 *
 * @throws RangeError where two sizes differ and neither is 1
 */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): Shape {
  let result = shapes[0]!
  for (let i = 1; i < shapes.length; i++) result = broadcastPair(operation, result, shapes[i]!)
  return result
}

/** The shape that two shapes broadcast to, as `broadcastShapes` does: one of the two where it is that. */
export function broadcastPair(operation: string, a: Shape, b: Shape): Shape {
  if (a === b || isSuffix(b, a)) return a
  if (isSuffix(a, b)) return b
  const rank = Math.max(a.length, b.length)
  const result: number[] = new Array(rank)
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1
    const y = b[b.length - i] ?? 1
    if (x !== y && x !== 1 && y !== 1) {
      failRange(
        operation,
        `shapes do not broadcast, got ${showShape(a)} and ${showShape(b)}`,
        'sizes must be equal or 1, matched from the last axis',
      )
    }
    result[rank - i] = x === 1 ? y : x
  }
  return result
}

/** Whether `long` ends in the sizes of `short`: what has that shape is then repeated as a whole. */
export function isSuffix(short: Shape, long: Shape): boolean {
  const missing = long.length - short.length
  if (missing < 0) return false
  for (let i = short.length - 1; i >= 0; i--) if (short[i] !== long[missing + i]) return false
  return true
}

/** Checks a shape that a user gave: an array of integers from 0 on. */
export function checkShape(operation: string, shape: unknown): Shape {
  if (!Array.isArray(shape))
    failType(operation, `shape must be an array of integers, got ${kindOf(shape)}`, 'pass [rows, columns]')
  for (let i = 0; i < shape.length; i++) {
    const size: unknown = shape[i]
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      failRange(operation, `sizes must be integers from 0 on, got ${shown(shape)}`)
    }
  }
  if (sizeOf(shape) > 2 ** 30 - 1) {
    failRange(
      operation,
      `a tensor holds at most 2^30 - 1 elements, got shape [${shape.join(',')}]`,
      'split it',
    )
  }
  // A frozen one, another tensor's, stays as it is. Spread: `slice` takes 0.2 us for those.
  return Object.isFrozen(shape) ? shape : Object.freeze([...shape])
}

/** The axis `axis` counted from 0, where negative ones count from the end. */
export function checkAxis(operation: string, axis: unknown, rank: number): number {
  if (typeof axis !== 'number' || !Number.isInteger(axis)) {
    failType(operation, `axis must be an integer, got ${typeof axis === 'number' ? axis : kindOf(axis)}`)
  }
  const counted = axis < 0 ? axis + rank : axis
  if (counted < 0 || counted >= rank) {
    failRange(
      operation,
      `axis ${axis} is out of range for rank ${rank}`,
      rank === 0 ? 'a scalar has no axes' : `use ${-rank} to ${rank - 1}`,
    )
  }
  return counted
}

function allAxes(rank: number): readonly number[] {
  const axes: number[] = []
  for (let axis = 0; axis < rank; axis++) axes.push(axis)
  return axes
}

/** Axes counted from 0, ascending; undefined means all of them. */
export function checkAxes(
  operation: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): readonly number[] {
  if (axes === undefined) return allAxes(rank)
  if (typeof axes !== 'number' && !Array.isArray(axes)) {
    failType(operation, `axis must be an integer or an array of integers, got ${kindOf(axes)}`)
  }
  if (typeof axes === 'number') return [checkAxis(operation, axes, rank)]
  const counted = Array.from(axes, (axis) => checkAxis(operation, axis, rank))
  counted.sort((a, b) => a - b)
  for (let i = 1; i < counted.length; i++) {
    if (counted[i] === counted[i - 1])
      failRange(operation, `axis ${counted[i]} is named twice`, 'name each axis once')
  }
  return counted
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides: number[] = new Array(shape.length)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= shape[i]!
  }
  return strides
}

/** Strides with which a tensor of shape `from` is read as `to`: 0 along axes that stretch. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from)
  const shift = to.length - from.length
  return to.map((_, i) => (i < shift || from[i - shift] === 1 ? 0 : own[i - shift]!))
}
