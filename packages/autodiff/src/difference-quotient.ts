import type { Values } from './operation.ts'

/** How a function changes as some elements of one tensor move: slopes in the direction of the move. */
export interface Slope {
  /** What the gradient says. */
  readonly analytic: number
  /** The central difference. */
  readonly numeric: number
  /** The difference with what lies behind, and with what lies ahead. Where they are not the same there is a kink. */
  readonly left: number
  readonly right: number
}

/** Which elements of which tensor move, and by how much each for a step of 1. */
export interface Move {
  readonly tensor: number
  readonly places: readonly number[]
  readonly direction: (place: number) => number
}

/**
 * Slopes of `f` around `start`, by central differences.
 *
 * Points are rounded to float32 numbers: what `f` decides by values while it is recorded, and what the references compute of
 * them, is then about the same point.
 *
 * @param f evaluates the function in float64
 * @param gradients one for each tensor
 */
export function slopesOf(
  f: (at: readonly Values[]) => number,
  start: readonly Values[],
  gradients: readonly ArrayLike<number>[],
): (move: Move, step: number) => Slope {
  const here = f(start)
  return ({ tensor, places, direction }, step) => {
    const [ahead, behind] = [1, -1].map((side) => {
      const values = Float64Array.from(start[tensor]!.values)
      for (const place of places) {
        const x = values[place]!
        values[place] = nearest(x + side * stepFrom(x, step * direction(place)))
      }
      const at = start.map((x, i) => (i === tensor ? { shape: x.shape, values } : x))
      return { values, f: f(at) }
    })
    let [length, forwards, backwards, analytic] = [0, 0, 0, 0]
    for (const place of places) {
      const [d, x] = [direction(place), start[tensor]!.values[place]!]
      length += d * d
      forwards += d * (ahead!.values[place]! - x)
      backwards += d * (x - behind!.values[place]!)
      analytic += gradients[tensor]![place]! * (ahead!.values[place]! - behind!.values[place]!)
    }
    const per = (change: number, by: number): number => (change * length) / by
    return {
      analytic: per(analytic, forwards + backwards),
      numeric: per(ahead!.f - behind!.f, forwards + backwards),
      left: per(here - behind!.f, backwards),
      right: per(ahead!.f - here, forwards),
    }
  }
}

/** Close to `by`, one that float32 can make from `x`: at least to the next number, and the same to either side. */
function stepFrom(x: number, by: number): number {
  const away = x + Math.sign(x) * Math.abs(by)
  const reached = nearest(away) === x ? nearest(x * (1 + 2 ** -23)) : nearest(away)
  // Around 0 there is no step that is too small.
  return x === 0 ? by : Math.sign(by) * Math.abs(reached - x)
}

/** The nearest float32 number; what is beyond all of them stays. */
function nearest(x: number): number {
  const rounded = Math.fround(x)
  return Number.isFinite(rounded) ? rounded : x
}

/** Slopes on either side that differ, by more than `most`: a kink, or too long a step. */
export function isBroken({ left, right }: Slope, most: number): boolean {
  return Number.isFinite(left) && Number.isFinite(right) && Math.abs(right - left) > most
}

/** The smaller slope of the two sides: what a jump, or a steep side, does not make large. */
export function smallerSide({ left, right }: Slope): number {
  const size = Math.min(Math.abs(left), Math.abs(right))
  return Number.isFinite(size) ? size : 0
}
