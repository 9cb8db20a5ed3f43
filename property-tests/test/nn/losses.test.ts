import * as t from '@tapeflow/autodiff'
import { describe, it } from 'vitest'
import { lossLaws } from './loss-laws.ts'
import { rows } from './loss-rows.ts'

// A new loss is a row.
describe.each([...rows])('$name', (row) => {
  it.each(Object.entries(lossLaws))('%s', (_, law) => {
    t.scope(() => {
      law(row)
    })
  })
})
