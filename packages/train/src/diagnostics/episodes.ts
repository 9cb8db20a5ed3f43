/**
 * Which looks begin an illness: the first ill one does, further ones do not, until there have been `calm` healthy looks in a row.
 *
 * @example
 * const episodes = new Episodes(2)
 * const ill = [true, true, false, true, false, false, true]
 * ill.map((one) => episodes.begins('layers.0', one)) // => [true, false, false, false, false, false, true]
 */
export class Episodes {
  readonly #calm: number
  /** How many looks were healthy since, by what is ill. */
  readonly #healthy = new Map<string, number>()

  constructor(calm: number) {
    this.#calm = calm
  }

  /**
   * Whether this look at `key` begins an episode.
   *
   * @param isWell whether the look counts as healthy; where it is not ill, by default
   */
  begins(key: string, ill: boolean, isWell: boolean = !ill): boolean {
    const healthy = this.#healthy.get(key)
    if (ill) {
      this.#healthy.set(key, 0)
      return healthy === undefined
    }
    if (healthy === undefined) return false
    if (!isWell) this.#healthy.set(key, 0)
    else if (healthy + 1 < this.#calm) this.#healthy.set(key, healthy + 1)
    else this.#healthy.delete(key)
    return false
  }
}
