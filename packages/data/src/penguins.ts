import { failType, knownOptions } from '@tapeflow/autodiff'
import { type Dataset, dataset } from './dataset.ts'
import { penguinsTable } from './generated/penguins.ts'
import type { Batch } from './row.ts'

/** A penguin: each column a scalar, of shape []. Lengths are millimetres, the mass is grams; species, island and sex are labels. */
export interface Penguin {
  readonly species: Batch
  readonly island: Batch
  readonly billLength: Batch
  readonly billDepth: Batch
  readonly flipperLength: Batch
  readonly bodyMass: Batch
  readonly sex: Batch
}

/** The penguins, and what their labels mean. */
export interface Penguins extends Dataset<Penguin> {
  /** The names by label, of each column of labels. */
  readonly labelNames: {
    readonly species: readonly string[]
    readonly island: readonly string[]
    readonly sex: readonly string[]
  }
}

/** What becomes of incomplete rows. */
export interface PenguinsOptions {
  /** `'drop'` by default. */
  readonly missing?: 'drop' | 'keep'
}

/**
 * Penguins of three species on three islands of Antarctica, a table with missing values: 344 rows, of which 333 are complete.
 * 2 lack every measure and the sex, 9 lack the sex alone. Their fixed order mixes the species evenly, so any stretch is balanced.
 *
 * @param options.missing `'drop'` (default) leaves the 11 incomplete rows out; `'keep'` gives all, with NaN where a value is missing
 * @returns a dataset of length 333 (344 with `'keep'`) whose rows are `{ species, island, billLength, billDepth,
 * flipperLength, bodyMass, sex }`, each of shape [], with the names of labels
 * @throws TypeError when `missing` is neither
 *
 * @example
 * const birds = penguins()
 * birds.length // => 333
 * birds.labelNames.species // => ['Adelie', 'Chinstrap', 'Gentoo']
 * const [all] = penguins({ missing: 'keep' }).batch(344)
 * all?.sex.values.filter(Number.isNaN).length // => 11
 *
 * Gorman, Williams, Fraser: Ecological sexual dimorphism and environmental variability within a community of Antarctic
 * penguins (PLoS ONE 2014). As packed in the npm package vega-datasets 3.2.1, CC0: see generated/penguins.LICENSE.md.
 */
export function penguins(options: PenguinsOptions = {}): Penguins {
  const { missing = 'drop' } = knownOptions('penguins', options, 'missing')
  if (missing !== 'drop' && missing !== 'keep')
    failType('penguins', `missing must be 'drop' or 'keep', got '${String(missing)}'`)
  const labelNames = {
    species: ['Adelie', 'Chinstrap', 'Gentoo'],
    island: ['Biscoe', 'Dream', 'Torgersen'],
    sex: ['female', 'male'],
  }
  const rows = penguinsTable
    .trim()
    .split('\n')
    .map((line) => line.split(','))
    .filter((row) => missing === 'keep' || !row.includes(''))
  const column = (index: number, read: (text: string) => number): Batch => ({
    shape: [rows.length],
    values: Float32Array.from(rows, (row) => (row[index] === '' ? Number.NaN : read(row[index]!))),
  })
  const label = (names: readonly string[]) => (text: string) => names.indexOf(text)
  const birds = dataset({
    species: column(0, label(labelNames.species)),
    island: column(1, label(labelNames.island)),
    billLength: column(2, Number),
    billDepth: column(3, Number),
    flipperLength: column(4, Number),
    bodyMass: column(5, Number),
    sex: column(6, label(labelNames.sex)),
  })
  return { ...birds, labelNames }
}
