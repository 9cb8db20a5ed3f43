import * as t from '@tapeflow/autodiff'
import type { Optimizer } from '@tapeflow/optim'
import { train } from './train.ts'

/** Coordinates by name, all of one shape: as many walkers as that has elements. */
export type Place = Readonly<Record<string, t.Tensor>>

/** The coordinates of all walkers as numbers. */
export type Position<P extends Place> = { readonly [name in keyof P]: readonly number[] }

/**
 * Descends on a landscape from many places at once, each for itself: the gradient of the sum of heights with respect to one walker
 * is that of its own height.
 *
 * @param height the heights at places, of the shape of the coordinates
 * @returns the positions before each step and after the last: `steps + 1`
 */
export function walk<P extends Place>(
  optimizer: Optimizer<string>,
  height: (place: P) => t.Tensor,
  start: P,
  steps: number,
): readonly Position<P>[] {
  const numbers = (place: P): Position<P> => {
    const entries = Object.entries(place).map(([name, x]) => [name, Array.from(x.toFloat32Array())])
    return Object.fromEntries(entries) as Position<P>
  }
  return t.scope(() => {
    const positions: Position<P>[] = []
    const end = train({
      optimizer,
      loss: (place: P) => t.sum(height(place)),
      start,
      data: () => null,
      steps,
      visit: ({ params }) => positions.push(numbers(params)),
    })
    return [...positions, numbers(end)]
  })
}
