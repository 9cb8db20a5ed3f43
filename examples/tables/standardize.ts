import type { Batch, Dataset } from '@tapeflow/data'

/** A sample: its features, and what is to be told from them. */
export interface Sample {
  readonly x: Batch
  readonly y: Batch
}

/** The rows of a dataset as plain numbers. */
export function numbersOf(samples: Dataset<Sample>, column: 'x' | 'y'): number[][] {
  return [...samples].map((row) => [...row[column].values])
}

/**
 * Brings each element to mean 0 and variance 1, as they are in `rows`: those to learn from alone, so that nothing is known of the
 * others.
 */
export function standardizer(rows: readonly (readonly number[])[]): (batch: Batch) => Batch {
  const meanOf = (of: (row: readonly number[]) => number): number =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length
  const means = rows[0]!.map((_, j) => meanOf((row) => row[j]!))
  const deviations = means.map((mean, j) => Math.sqrt(meanOf((row) => (row[j]! - mean) ** 2)))
  return ({ shape, values }) => ({
    shape,
    values: values.map((value, j) => (value - means[j]!) / deviations[j]!),
  })
}
