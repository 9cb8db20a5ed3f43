import type { Shape } from '@tapeflow/autodiff'
import type fc from 'fast-check'
import { draws } from './draws.ts'

/** Which ranks shapes have. */
export interface ShapesOptions {
  /** The fewest axes; 0 by default. */
  readonly low?: number
  /** The most axes; 3 by default. */
  readonly high?: number
}

/**
 * Shapes of a few hundred elements at most, empty axes among them, with sizes that end inside, at and behind groups of 4
 * and of 16 lanes. They shrink to the lowest rank and to sizes of 1.
 *
 * @param options.low the fewest axes, 0 by default
 * @param options.high the most axes, 3 by default
 * @example
 * fc.sample(shapes({ low: 1, high: 2 }), 9).every((shape) => shape.length === 1 || shape.length === 2) // => true
 */
export function shapes(options: ShapesOptions = {}): fc.Arbitrary<Shape> {
  const { low = 0, high = 3 } = options
  return draws((draw) => draw.shape(low, high))
}
