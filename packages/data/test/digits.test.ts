import { key } from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import type { Batch } from '../src/index.ts'
import { digits } from '../src/index.ts'

const all = digits()
const labelsOf = (batch: { y: Batch }): number[] => [...batch.y.values]
const counts = (labels: readonly number[]): number[] => {
  const result: number[] = new Array(10).fill(0)
  for (const label of labels) result[label]!++
  return result
}

test('digits are 10,000 images of 784 grey levels between 0 and 1 with a label', () => {
  const [whole] = all.batch(10_000).toArray() as { x: Batch; y: Batch }[]
  expect([whole!.x.shape, whole!.y.shape]).toEqual([[10_000, 784], [10_000]])
  expect(counts(labelsOf(whole!))).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978])
  const levels = new Set(whole!.x.values)
  expect(levels.size).toBe(256)
  expect([Math.min(...levels), Math.max(...levels)]).toEqual([0, 1])
})

test('digits split by position into parts with the same share of each class', () => {
  const parts = all.split({ train: 8000, validation: 1000, test: 1000 })
  const labels = Object.values(parts).map((part) => part.batch(8000).toArray() as { x: Batch; y: Batch }[])
  const [train, validation, held] = labels.map((batches) => counts(batches.flatMap(labelsOf)))
  train!.forEach((n, label) => {
    expect(Math.abs(validation![label]! - n / 8)).toBeLessThan(4)
    expect(Math.abs(held![label]! - n / 8)).toBeLessThan(4)
  })
})

test('an epoch of shuffled batches shows every digit once', () => {
  const batches = all
    .shuffle({ key: key(1) })
    .batch(64)
    .toArray() as { x: Batch; y: Batch }[]
  expect(batches.length).toBe(157)
  expect(counts(batches.flatMap(labelsOf))).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978])
})
