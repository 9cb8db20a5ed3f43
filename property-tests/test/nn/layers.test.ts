import * as t from '@tapeflow/autodiff'
import { describe, it } from 'vitest'
import { layerLaws } from './layer-laws.ts'
import { rows as attention } from './rows-attention.ts'
import { rows as basics } from './rows-basics.ts'
import { rows as normalization } from './rows-normalization.ts'
import { rows as recurrent } from './rows-recurrent.ts'

// A new layer is a row.
describe.each([...basics, ...normalization, ...attention, ...recurrent])('$name', (row) => {
  it.each(Object.entries(layerLaws))('%s', (_, law) => {
    t.scope(() => {
      law(row)
    })
  })
})
