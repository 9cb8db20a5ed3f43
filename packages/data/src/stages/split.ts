import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Flow } from '../flow.ts'
import { skip } from './skip.ts'
import { take } from './take.ts'

/**
 * The dataset in parts, by position: the first part gets the first elements, and so on. No seed is involved, so a sample
 * stays in its part whatever the run.
 *
 * @param parts numbers by name: integers that sum to more than 1 are counts, any others fractions of the length. Borders of
 *   fractions are rounded to the nearest element, so fractions that sum to 1 share out every element.
 * @throws RangeError when the parts ask for more than there is, or for fractions of an unknown length
 * @throws TypeError after a shuffle that reorders in each epoch: the parts would exchange their elements
 *
 * @example
 * const { train, test } = dataset([1, 2, 3, 4, 5]).split({ train: 0.8, test: 0.2 })
 * assert.deepEqual(train.toArray(), [1, 2, 3, 4])
 * assert.deepEqual(test.toArray(), [5])
 */
export function split<T, K extends string>(
  flow: Flow<T>,
  parts: { readonly [name in K]: number },
): Record<K, Flow<T>> {
  if (flow.reorders) {
    const remedy = 'split first and shuffle the parts, or shuffle with eachEpoch: false'
    failType('split', 'the dataset is reordered in each epoch, so its parts would exchange elements', remedy)
  }
  const names = namesOf(parts)
  const borders = bordersOf(
    flow.length,
    names.map((name) => parts[name]),
  )
  const result: Partial<Record<K, Flow<T>>> = {}
  names.forEach((name, i) => {
    result[name] = take(skip(flow, borders[i]!), borders[i + 1]! - borders[i]!)
  })
  return result as Record<K, Flow<T>>
}

function namesOf<K extends string>(parts: { readonly [name in K]: number }): K[] {
  if (typeof parts !== 'object' || parts === null) {
    failType('split', `expected parts such as { train: 0.8, test: 0.2 }, got ${kindOf(parts)}`)
  }
  const names = Object.keys(parts) as K[]
  for (const name of names) {
    if (!(Number.isFinite(parts[name]) && parts[name] >= 0)) {
      failRange('split', `${name} must be a fraction or a count, got ${String(parts[name])}`)
    }
  }
  return names
}

function bordersOf(length: number | undefined, sizes: readonly number[]): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > 1 && sizes.every(Number.isInteger)) {
    if (length !== undefined && total > length) {
      failRange('split', `the parts ask for ${total} elements of ${length}`)
    }
    return borders(sizes, (sum) => sum)
  }
  // 0.7 + 0.2 + 0.1 is a little below 1, other sums a little above
  if (total > 1 + 1e-9) failRange('split', `fractions must sum to at most 1, got ${total}`)
  if (length === undefined || length === Infinity) {
    failRange('split', 'the length is unknown, so fractions of it are too', 'pass counts')
  }
  return borders(sizes, (sum) => Math.min(length, Math.round(sum * length)))
}

function borders(sizes: readonly number[], at: (sum: number) => number): number[] {
  let sum = 0
  return [0, ...sizes.map((size) => at((sum += size)))]
}
