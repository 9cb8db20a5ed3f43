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
    const [ahead, behind] = [step, -step].map((by) => {
      const values = Float64Array.from(start[tensor]!.values)
      for (const place of places) values[place] = movedTo(values[place]!, by * direction(place))
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

function movedTo(x: number, by: number): number {
  const nearest = Math.fround(x + by)
  // Steps that are lost in rounding, or leave float32, are taken all the same.
  return nearest === x || !Number.isFinite(nearest) ? x + by : nearest
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
