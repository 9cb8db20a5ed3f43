import { type IrisFlower, iris } from '@tapeflow/data'

/** Where a feature stands in a row of iris. */
export const feature = { sepalLength: 0, sepalWidth: 1, petalLength: 2, petalWidth: 3 } as const

/** Flowers as plain numbers. */
export interface Flowers {
  /** A row of the chosen measures for each flower. */
  readonly x: readonly (readonly number[])[]
  /** The place of each flower's species in those that were asked for. */
  readonly labels: readonly number[]
}

/** Iris flowers of some species, by some of their measures, in centimetres. */
export function flowers(species: readonly string[], features: readonly number[]): Flowers {
  const all = iris()
  const chosen = species.map((name) => all.labelNames.indexOf(name))
  const rows = (all.toArray() as IrisFlower[]).filter(({ y }) => chosen.includes(y.values[0]!))
  return {
    // Tenths of a centimetre, as they were measured: float32 has no such numbers.
    x: rows.map(({ x }) => features.map((j) => Math.round(x.values[j]! * 10) / 10)),
    labels: rows.map(({ y }) => chosen.indexOf(y.values[0]!)),
  }
}
