import type { Shape } from '@tapeflow/autodiff'
import { broadcastable } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { draws } from './draws.ts'

/**
 * Shapes that broadcast to one: of a common shape, axes are stretched from 1, or left out in front, at random. They
 * shrink to scalars.
 *
 * @param count how many shapes, 2 by default
 * @example
 * const sums = ([a, b]) => t.scope(() => t.add(t.ones(a), t.ones(b)).rank)
 * fc.sample(broadcastableShapes(), 9).every((pair) => sums(pair) === Math.max(...pair.map((s) => s.length))) // => true
 */
export function broadcastableShapes(count = 2): fc.Arbitrary<readonly Shape[]> {
  return draws((draw) => broadcastable(draw, count))
}
