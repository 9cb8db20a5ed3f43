import * as t from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import { outputsOf } from '../perceptron/linear-model.ts'
import { explained } from '../perceptron/linear-regression.ts'
import { leastSquares } from '../perceptron/references.ts'
import { classifyIris } from './iris.ts'
import { linearShare, networkShare, penguinsApart } from './penguins.ts'
import { numbersOf, standardizer } from './standardize.ts'

// Ten seeds in `npm run test:long`.
const seeds = Array.from({ length: import.meta.env['LONG'] === '1' ? 10 : 1 }, (_, i) => i + 1)

/** By the normal equations, in double precision. */
function exactShare(): number {
  const { train, test } = penguinsApart()
  const theta = leastSquares(
    numbersOf(train, 'x'),
    numbersOf(train, 'y').map(([mass]) => mass!),
  )
  const model = { weight: theta.slice(0, -1).map((w) => [w]), bias: [theta.at(-1)!] }
  return explained(
    numbersOf(test, 'y').map(([mass]) => mass!),
    numbersOf(test, 'x').map((x) => outputsOf(model, x)[0]!),
  )
}

test('a small network names the species of at least 42 of 45 iris flowers that it has not seen', async () => {
  for (const seed of seeds) expect(await classifyIris(seed)).toBeGreaterThanOrEqual(42 / 45)
})

test('a linear model explains as much of the masses of unseen penguins as the normal equations do', async () => {
  const exact = exactShare()
  expect(exact).toBeGreaterThan(0.8)
  for (const seed of seeds) expect(Math.abs((await linearShare(seed)) - exact)).toBeLessThan(0.002)
})

test('a small network explains about as much', async () => {
  const exact = exactShare()
  for (const seed of seeds) expect(await networkShare(seed)).toBeGreaterThan(exact - 0.03)
})

test('what is standardised has mean 0 and variance 1, by the rows to learn from', () => {
  const { train } = penguinsApart()
  const standardize = standardizer(numbersOf(train, 'x'))
  const rows = numbersOf(train, 'x').map(
    (row) => standardize({ shape: [8], values: Float32Array.from(row) }).values,
  )
  const mean = (of: (row: Float32Array) => number): number =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length
  for (let j = 0; j < 8; j++) {
    expect(mean((row) => row[j]!)).toBeCloseTo(0, 5)
    expect(mean((row) => row[j]! ** 2)).toBeCloseTo(1, 5)
  }
})

test('training leaves nothing in the heap', async () => {
  const before = t.memory().bytes
  await classifyIris(3)
  expect(t.memory().bytes).toBe(before)
})
