import * as t from '@tapeflow/autodiff'
import type { Hyper, Optimizer, Slots } from '@tapeflow/optim'

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
  interface Walkers {
    readonly params: P
    readonly slots: Slots<string, P>
  }
  const slope = t.grad((place: P) => t.sum(height(place)))
  const step = t.compile<[Walkers, Hyper], Walkers>(({ params, slots }, hyper) =>
    // Every tensor of a P is replaced by a tensor: still a P.
    optimizer.update(slope(params) as P, slots, params, hyper),
  )
  const numbers = (place: P): Position<P> =>
    Object.fromEntries(
      Object.entries(place).map(([name, x]) => [name, Array.from(x.toFloat32Array())]),
    ) as Position<P>

  const positions = [numbers(start)]
  t.scope(() => {
    t.fold({ params: start, slots: optimizer.init(start) }, Array(steps).keys(), (at, i) => {
      const next = step(at, optimizer.hyper(i))
      positions.push(numbers(next.params))
      return next
    })
    return null
  })
  step.dispose()
  return positions
}
