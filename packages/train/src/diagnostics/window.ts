/** The latest numbers, as many as it has room for. */
export class Window {
  /** The oldest first. */
  readonly values: number[] = []
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  /** Takes a number in, and lets the oldest go where there is no room. */
  push(value: number): void {
    if (this.values.length === this.#size) this.values.shift()
    this.values.push(value)
  }

  get isFull(): boolean {
    return this.values.length === this.#size
  }
}

/** The middle one of the sorted numbers, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Where a series goes. */
export interface Trend {
  /** From the first to the last, relative to the median size: along the median of the slopes of all pairs. 0 where that size is 0. */
  readonly rise: number
  /** Of all pairs the share that rises less the share that falls: 1 where each number is above those before it. */
  readonly agreement: number
}

/**
 * The trend of numbers: of which a single outlier changes little.
 *
 * @example
 * trend([1, 2, 3]) // => { rise: 1, agreement: 1 }
 *
 * Theil 1950 and Sen 1968 for the slope, Kendall 1938 for the agreement.
 */
export function trend(values: readonly number[]): Trend {
  const slopes: number[] = []
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) slopes.push((values[j]! - values[i]!) / (j - i))
  }
  const level = median(values.map(Math.abs))
  const rise = level === 0 ? 0 : (median(slopes) * (values.length - 1)) / level
  return { rise, agreement: agreement(values) }
}

/** Of all pairs of two numbers or more the share that rises less the share that falls. */
export function agreement(values: readonly number[]): number {
  let signs = 0
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) signs += Math.sign(values[j]! - values[i]!)
  }
  return signs / ((values.length * (values.length - 1)) / 2)
}

/** From this agreement on numbers rise steadily: ten of them in random order do once in about a hundred times. */
export const steadyRise = 0.6

/** A number as a sentence shows it: three digits. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(3)))
}
