/** What became of the perceptron with one loss. */
export interface Morph {
  readonly title: string
  /** What was found, in words. */
  readonly says: readonly string[]
  /** A picture of it: a whole SVG document. */
  readonly svg: string
}

/** A number with as many digits as matter here. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)))
