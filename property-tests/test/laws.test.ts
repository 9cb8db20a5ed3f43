import { operations } from '@tapeflow/autodiff/testing'
import { describe, it } from 'vitest'
import { columns } from './columns.ts'

// The law matrix: rows are operations, columns are laws. Names begin with the operation's: `-t softmax` selects a row.
for (const info of operations) {
  const { name } = info.operation
  describe(name, () => {
    for (const [law, check] of Object.entries(columns)) it(`${name}: ${law}`, () => check(info))
  })
}
