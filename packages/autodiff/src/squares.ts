import { failRange, failType, kindOf } from './fail.ts'
import { wasm } from './kernels/wasm.ts'
import type { Values } from './operation.ts'
import {
  forEachReduced,
  type Reduced,
  type ReduceOptions,
  reduceAtOnce,
  reduced,
  reducedCount,
  reduceReference,
} from './reduction.ts'
import type { Tensor } from './tensor.ts'

/** How the spread of elements is measured. */
export interface SpreadOptions extends ReduceOptions {
  /** Taken from the number of elements that squares are divided by: 0 by default, 1 for an unbiased estimate. */
  readonly correction?: number
}

/** Attributes of `variance` and `std`. */
export interface Spread extends Reduced {
  readonly correction: number
}

/** Reads the options of `variance` and `std`. */
export function spread(operation: string, x: Tensor, options: SpreadOptions): Spread {
  const { axes, keepDims } = reduced(operation, x, options, undefined, ['correction'])
  const { correction = 0 } = options
  if (typeof correction !== 'number') {
    failType(operation, `correction must be a number, got ${kindOf(correction)}`, 'leave it out for 0')
  }
  if (!(correction >= 0 && correction < Number.POSITIVE_INFINITY)) {
    failRange(operation, `correction must be a number from 0 on, got ${correction}`, 'leave it out for 0')
  }
  return { axes, keepDims, correction }
}

/** What the sum of squares is divided by; not below 0, as in NumPy. */
export function divisorOf(x: { readonly shape: readonly number[] }, { axes, correction }: Spread): number {
  return Math.max(0, reducedCount(x.shape, axes) - correction)
}

/** Fills `output` with the variance, or its square root: the mean first, then the squares, in float64. */
export function spreadKernel(output: Tensor, x: Tensor, of: Spread, root: 0 | 1, scratch: number): void {
  const { reduceSquares } = wasm()
  const divisor = divisorOf(x, of)
  reduceAtOnce(
    (from, out, outer, n, inner) => reduceSquares(from, out, outer, n, inner, 1, divisor, root, scratch),
    output,
    x,
    of.axes,
    scratch,
  )
}

/** The variance in float64: the mean of the squares of what is left when the mean is taken away. */
export function varianceOf(x: Values, of: Spread): Float64Array {
  const count = reducedCount(x.shape, of.axes)
  const means = reduceReference(x, of.axes, 0, (sum, value) => sum + value).map((sum) => sum / count)
  const squares = new Float64Array(means.length)
  forEachReduced(x, of.axes, (into, value) => {
    squares[into]! += (value - means[into]!) ** 2
  })
  return squares.map((sum) => sum / divisorOf(x, of))
}
