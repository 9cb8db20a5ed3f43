import { describe, it } from 'vitest'
import { matrix } from './matrix.ts'

// The law matrix: rows are operations, columns are laws. Names begin with the row's: `-t softmax` selects a row.
for (const { name, laws } of matrix) {
  describe(name, () => {
    for (const [law, check] of Object.entries(laws)) it(`${name}: ${law}`, check)
  })
}
