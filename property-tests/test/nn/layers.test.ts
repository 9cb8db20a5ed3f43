import * as t from '@tapeflow/autodiff'
import { layersByType } from '@tapeflow/nn/model'
import { describe, expect, it } from 'vitest'
import { layerLaws } from './layer-laws.ts'
import { rows as activations } from './rows-activations.ts'
import { rows as attention } from './rows-attention.ts'
import { rows as basics } from './rows-basics.ts'
import { rows as combinators } from './rows-combinators.ts'
import { rows as convolution } from './rows-convolution.ts'
import { rows as normalization } from './rows-normalization.ts'
import { rows as recurrent } from './rows-recurrent.ts'

// A new layer is a row.
const rows = [
  ...activations,
  ...attention,
  ...basics,
  ...combinators,
  ...convolution,
  ...normalization,
  ...recurrent,
]

describe.each(rows)('$name', (row) => {
  it.each(Object.entries(layerLaws))('%s', (_, law) => {
    t.scope(() => {
      law(row)
    })
  })
})

it('every layer that a file can hold has a row', () => {
  const types = new Set(rows.map(({ layer }) => layer.config?.type))
  expect(Object.keys(layersByType).filter((type) => !types.has(type))).toEqual([])
})
