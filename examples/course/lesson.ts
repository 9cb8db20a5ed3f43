/** A sentence of a lesson, and whether what was measured bears it out. */
export interface Claim {
  /** With the numbers that were measured. */
  readonly says: string
  readonly holds: boolean
}

/** What a lesson found. */
export interface Lesson {
  readonly title: string
  readonly claims: readonly Claim[]
  /** A picture of it: a whole SVG document. */
  readonly svg: string
}

/** A claim. */
export const claim = (says: string, holds: boolean): Claim => ({ says, holds })

/** A number as a reader wants it: three digits that count. */
export function shown(x: number): string {
  if (x === 0) return '0'
  const size = Math.abs(x)
  return size >= 1e4 || size < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3)))
}
