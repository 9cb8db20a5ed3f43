import * as t from '@tapeflow/autodiff'
import { describe, it } from 'vitest'
import { layerLaws } from './layer-laws.ts'
import { rows as basics } from './rows-basics.ts'

// A new layer is a row.
describe.each([...basics])('$name', (row) => {
  it.each(Object.entries(layerLaws))('%s', (_, law) => {
    t.scope(() => {
      law(row)
    })
  })
})
