import { heapFloats } from '../memory.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** What numbers are like as a whole. */
export interface Range {
  readonly shape: Shape
  /** The smallest and the largest of the finite ones: Infinity and -Infinity where there are none. */
  readonly min: number
  readonly max: number
  /** How many are NaN or infinite. */
  readonly nonFinite: number
}

/** A range, and where the first NaN and the first infinity are: -1 for none. */
export interface Looked extends Range {
  readonly firstNaN: number
  readonly firstInfinity: number
}

/** Looks at every number of a tensor. */
export function looked({ shape, size, offset }: Tensor): Looked {
  return lookedAt(shape, heapFloats().subarray(offset / 4, offset / 4 + size))
}

/** Looks at every one of `values`. */
export function lookedAt(shape: Shape, values: ArrayLike<number>): Looked {
  let [min, max, nonFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  let [firstNaN, firstInfinity] = [-1, -1]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isFinite(value)) {
      if (value < min) min = value
      if (value > max) max = value
      continue
    }
    nonFinite++
    if (Number.isNaN(value)) {
      if (firstNaN < 0) firstNaN = i
    } else if (firstInfinity < 0) firstInfinity = i
  }
  return { shape, min, max, nonFinite, firstNaN, firstInfinity }
}

/** The place of the first that is to be reported, -1 for none. */
export function firstOf({ firstNaN, firstInfinity }: Looked, infinities: boolean): number {
  if (!infinities || firstInfinity < 0) return firstNaN
  return firstNaN < 0 ? firstInfinity : Math.min(firstNaN, firstInfinity)
}

/** The range alone. */
export function rangeOf({ shape, min, max, nonFinite }: Looked): Range {
  return { shape, min, max, nonFinite }
}
