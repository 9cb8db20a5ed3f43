/** A function along a line: its value and its slope at a place. */
export interface Probe {
  readonly value: number
  readonly slope: number
}

/** How far to go, and how good is good enough. */
export interface WolfeOptions {
  /** Where to look first, above 0. */
  readonly first: number
  /** c1: how much of the fall that the slope promises has to come true. */
  readonly decrease: number
  /** c2: what share of the slope may be left. */
  readonly curvature: number
  /** What share of a value is rounding: values that are closer are told apart by their slopes. 0 by default. */
  readonly rounding?: number
  /** The search ends where it has closed in on less than this; 0 by default. */
  readonly closest?: number
}

interface Place extends Probe {
  readonly at: number
}

const most = 25

/**
 * A place along a line that satisfies the strong Wolfe conditions: the value has fallen by at least c1 of what the slope at the start
 * promised, and of the slope at most the share c2 is left, in either direction.
 *
 *     f(t) ≤ f(0) + c1 t f'(0)   and   |f'(t)| ≤ c2 |f'(0)|
 *
 * It goes outwards until there is such a place in between, and closes in on that, by the minima of cubics. After 25 looks it takes
 * the lowest place that has fallen so far, which may be the start. Values that are not finite count as too high. Steps outwards are at
 * most tenfold, and steps inwards stay a tenth away from the ends at least every other time, as in minFunc and PyTorch. Those also call
 * a place low that is lower than the start but has not fallen by enough, and may then close in on a place where nothing is to be found.
 *
 * Values that differ by less than rounding say nothing: there the slope decides, f'(t) ≤ (2 c1 - 1) f'(0), which is the first condition
 * of a parabola (Hager & Zhang 2005).
 *
 * @param probe the function along the line
 * @param start the same at 0, with a slope below 0
 * @returns how far to go, from 0 on
 * @example
 * const parabola = (at: number) => ({ value: (at - 3) ** 2, slope: 2 * (at - 3) })
 * strongWolfe(parabola, parabola(0), { first: 1, decrease: 1e-4, curvature: 0.1 }) // => 3
 *
 * Nocedal & Wright 2006, Numerical optimization, Algorithms 3.5 and 3.6, and (3.59) for the cubic.
 */
export function strongWolfe(
  probe: (at: number) => Probe,
  start: Probe,
  { first, decrease, curvature, rounding = 0, closest = 0 }: WolfeOptions,
): number {
  let looks = 0
  const look = (at: number): Place => {
    looks++
    const { value, slope } = probe(at)
    return { at, value, slope }
  }
  const isRounding = (a: Probe, b: Probe): boolean =>
    Math.abs(a.value - b.value) <= rounding * Math.abs(b.value)
  // Written so that what is no number is too high.
  const hasFallen = (now: Place): boolean =>
    now.value <= start.value + decrease * now.at * start.slope ||
    (isRounding(now, start) && now.slope <= (2 * decrease - 1) * start.slope)
  const isBelow = (now: Probe, other: Probe): boolean =>
    now.value < other.value || (rounding > 0 && isRounding(now, other))
  const isFlat = (now: Probe): boolean => Math.abs(now.slope) <= -curvature * start.slope

  // `low` is the start or has fallen, and its slope leads towards `high`: a place to stop at is in between.
  const closeIn = (low: Place, high: Place): number => {
    let wasAtEnd = false
    while (looks <= most && Math.abs(high.at - low.at) >= closest) {
      const [left, right] = low.at < high.at ? [low.at, high.at] : [high.at, low.at]
      let at = lowestOfCubic(low, high, left, right)
      const margin = 0.1 * (right - left)
      const isAtEnd = Math.min(right - at, at - left) < margin
      if (isAtEnd && (wasAtEnd || at >= right || at <= left)) {
        at = right - at < at - left ? right - margin : left + margin
        wasAtEnd = false
      } else wasAtEnd = isAtEnd
      const now = look(at)
      if (!hasFallen(now) || !isBelow(now, low)) {
        high = now
        continue
      }
      if (isFlat(now)) return at
      if (now.slope * (high.at - low.at) >= 0) high = low
      low = now
    }
    return low.at
  }

  let before: Place = { at: 0, ...start }
  let now = look(first)
  while (looks <= most) {
    if (!hasFallen(now) || !isBelow(now, before)) return closeIn(before, now)
    if (isFlat(now)) return now.at
    if (now.slope >= 0) return closeIn(now, before)
    const at = lowestOfCubic(before, now, now.at + 0.01 * (now.at - before.at), 10 * now.at)
    before = now
    now = look(at)
  }
  return hasFallen(now) ? now.at : 0
}

/** Where the cubic through two places with their slopes is lowest, within bounds; halfway between those where it has no minimum. */
function lowestOfCubic(a: Place, b: Place, from: number, to: number): number {
  const [left, right] = a.at <= b.at ? [a, b] : [b, a]
  const d1 = left.slope + right.slope - (3 * (left.value - right.value)) / (left.at - right.at)
  const d2 = Math.sqrt(d1 * d1 - left.slope * right.slope)
  const share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
  const lowest = right.at - (right.at - left.at) * share
  return Number.isNaN(lowest) ? (from + to) / 2 : Math.min(Math.max(lowest, from), to)
}
