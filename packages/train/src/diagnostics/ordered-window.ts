/**
 * The latest numbers in their order: a median and the spread around it at every step, without sorting anew.
 *
 * @example
 * const window = new OrderedWindow(5)
 * for (const value of [7, 1, 2, 90, 3, 4]) window.push(value)
 * window.median // => 3
 * window.distance // => 1
 */
export class OrderedWindow {
  readonly #latest: Float64Array
  readonly #ordered: Float64Array
  #count = 0
  /** Where in `latest` the next number goes: once full, over the oldest. */
  #next = 0

  constructor(size: number) {
    this.#latest = new Float64Array(size)
    this.#ordered = new Float64Array(size)
  }

  get isFull(): boolean {
    return this.#count === this.#latest.length
  }

  /** In their order. */
  get values(): readonly number[] {
    return [...this.#ordered.subarray(0, this.#count)]
  }

  /** Takes a finite number in, and lets the oldest go where there is no room. */
  push(value: number): void {
    const ordered = this.#ordered
    if (this.isFull) {
      const oldest = this.#place(this.#latest[this.#next]!)
      ordered.copyWithin(oldest, oldest + 1)
      this.#count--
    }
    const place = this.#place(value)
    ordered.copyWithin(place + 1, place, this.#count)
    ordered[place] = value
    this.#latest[this.#next] = value
    this.#next = (this.#next + 1) % this.#latest.length
    this.#count++
  }

  /** Of an even count the lower one of the middle two. */
  get median(): number {
    return this.#ordered[(this.#count - 1) >> 1]!
  }

  /** The median distance from the median, which is so the spread that outliers do not change. */
  get distance(): number {
    const ordered = this.#ordered
    const middle = (this.#count - 1) >> 1
    const median = ordered[middle]!
    let below = middle
    let above = middle + 1
    let distance = 0
    // From the middle outwards: each time the nearer one of both sides.
    for (let taken = 0; taken <= middle; taken++) {
      const down = below >= 0 ? median - ordered[below]! : Number.POSITIVE_INFINITY
      const up = above < this.#count ? ordered[above]! - median : Number.POSITIVE_INFINITY
      if (down <= up) below--
      else above++
      distance = Math.min(down, up)
    }
    return distance
  }

  /** How many are below `value`: where it is, or belongs. */
  #place(value: number): number {
    let [low, high] = [0, this.#count]
    while (low < high) {
      const half = (low + high) >> 1
      if (this.#ordered[half]! < value) low = half + 1
      else high = half
    }
    return low
  }
}
