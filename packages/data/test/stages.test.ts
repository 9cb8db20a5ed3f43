import { type Key, key } from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Batch, type Dataset, dataset } from '../src/index.ts'
import { later, upTo } from './passes.ts'
import { refusal } from './refusal.ts'

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
const seeds = fc.nat().map((seed) => key(seed))
const lengths = fc.integer({ min: 0, max: 60 })
const buffers = fc.integer({ min: 1, max: 70 })

/** A chain of stages on numbers, each as `[words, stage]`; the words show in a counterexample. */
type Stage = readonly [string, (d: Dataset<number>) => Dataset<number>]
const count = fc.integer({ min: 0, max: 20 })
const chains: fc.Arbitrary<Stage[]> = fc.array(
  fc.oneof(
    fc.constantFrom<Stage>(
      ['double', (d) => d.map((n) => 2 * n)],
      ['thirds', (d) => d.filter((n) => n % 3 !== 1)],
    ),
    count.map((n): Stage => [`take ${n}`, (d) => d.take(n)]),
    count.map((n): Stage => [`skip ${n}`, (d) => d.skip(n)]),
    fc.integer({ min: 0, max: 3 }).map((n): Stage => [`repeat ${n}`, (d) => d.repeat(n)]),
    fc
      .tuple(seeds, buffers)
      .map(([k, n]: [Key, number]): Stage => [`shuffle ${n}`, (d) => d.shuffle({ key: k, buffer: n })]),
  ),
  { maxLength: 5 },
)
const through = (source: Dataset<number>, chain: readonly Stage[]): Dataset<number> =>
  chain.reduce((d, [, stage]) => stage(d), source)

describe('every chain of stages', () => {
  test('gives the same over a list, an iterable, an asynchronous iterable and an asynchronous indexed source', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, chains, fc.nat({ max: 3 }), async (n, chain, epoch) => {
        const expected = await through(dataset(upTo(n)), chain).toArray(epoch)
        const others = [
          dataset(new Set(upTo(n))),
          dataset(() => later(n)),
          dataset({ length: n, at: async (i: number) => i }),
        ]
        for (const other of others) expect(await through(other, chain).toArray(epoch)).toEqual(expected)
      }),
    )
  })

  test('gives the same elements each time it is read, and as many as its length says', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, chains, async (n, chain) => {
        const d = through(dataset(upTo(n)), chain)
        const elements = await d.toArray()
        expect(await d.toArray()).toEqual(elements)
        if (d.length !== undefined) expect(elements.length).toBe(d.length)
      }),
    )
  })
})

describe('map', () => {
  test('of one function after another is map of both at once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.func(fc.integer()), fc.func(fc.integer()), (values, f, g) => {
        const d = dataset(values)
        expect(d.map(f).map(g).toArray()).toEqual(d.map((v) => g(f(v))).toArray())
      }),
    )
  })
})

describe('shuffle', () => {
  test('gives every element once in each epoch', () => {
    fc.assert(
      fc.property(lengths, seeds, buffers, fc.nat({ max: 9 }), (n, k, buffer, epoch) => {
        expect(sorted(dataset(upTo(n)).shuffle({ key: k, buffer }).toArray(epoch) as number[])).toEqual(
          upTo(n),
        )
        expect(sorted(dataset(upTo(n)).shuffle({ key: k }).toArray(epoch) as number[])).toEqual(upTo(n))
      }),
    )
  })

  test('reorders from epoch to epoch, the same way for the same key', () => {
    const d = dataset(upTo(100)).shuffle({ key: key(1) })
    expect(d.toArray(0)).not.toEqual(d.toArray(1))
    expect(d.toArray(1)).toEqual(
      dataset(upTo(100))
        .shuffle({ key: key(1) })
        .toArray(1),
    )
    expect(d.toArray(0)).not.toEqual(
      dataset(upTo(100))
        .shuffle({ key: key(2) })
        .toArray(0),
    )
  })

  test('keeps one order with eachEpoch: false', () => {
    const d = dataset(upTo(100)).shuffle({ key: key(1), eachEpoch: false })
    expect(d.toArray(7)).toEqual(d.toArray(0))
    expect(d.toArray()).not.toEqual(upTo(100))
  })

  test('with a buffer of 1 keeps the order, with a buffer of b never gives an element more than b - 1 early', () => {
    expect(
      dataset(upTo(20))
        .shuffle({ key: key(1), buffer: 1 })
        .toArray(),
    ).toEqual(upTo(20))
    fc.assert(
      fc.property(seeds, buffers, (k, buffer) => {
        const order = dataset(upTo(60)).shuffle({ key: k, buffer }).toArray() as number[]
        order.forEach((element, position) => {
          expect(element).toBeLessThan(position + buffer)
        })
      }),
    )
  })

  test('makes every order of the whole set equally likely', () => {
    const counts = new Map<string, number>()
    const d = dataset(upTo(4)).shuffle({ key: key(3) })
    for (let epoch = 0; epoch < 4800; epoch++) {
      const order = (d.toArray(epoch) as number[]).join()
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    const chiSquared = [...counts.values()].reduce((sum, c) => sum + (c - 200) ** 2 / 200, 0)
    expect(counts.size).toBe(24)
    expect(chiSquared).toBeLessThan(49.7) // 23 degrees of freedom, p = 0.001
  })

  test('after repeat reorders each round when it stands before it', () => {
    const twice = dataset(upTo(50))
      .shuffle({ key: key(1) })
      .repeat(2)
      .toArray() as number[]
    expect(sorted(twice.slice(0, 50))).toEqual(upTo(50))
    expect(twice.slice(0, 50)).not.toEqual(twice.slice(50))
  })

  test('refuses what it cannot work with', () => {
    const d = dataset(new Set([1]))
    expect(() => d.shuffle({ key: key(1) })).toThrow(
      refusal(
        RangeError,
        'shuffle: the number of elements is unknown; pass { buffer }, how many may wait to be drawn',
      ),
    )
    expect(() => d.shuffle({ key: key(1), buffer: 0 })).toThrow(
      refusal(RangeError, 'shuffle: the buffer must be an integer of at least 1, got 0'),
    )
    expect(() => d.shuffle({ key: 7 as unknown as Key, buffer: 3 })).toThrow(
      refusal(TypeError, 'shuffle: expected a key, got a number; pass { key: key(seed) }'),
    )
    expect(() => d.shuffle(undefined as unknown as { key: Key })).toThrow(
      refusal(TypeError, 'shuffle: expected a key, got undefined; pass { key: key(seed) }'),
    )
  })
})

describe('batch', () => {
  const tables = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 40 }))
    .map(([rows, width]) => ({
      x: { shape: [rows, width], values: Float32Array.from({ length: rows * width }, (_, i) => i) },
      y: { shape: [rows], values: Float32Array.from({ length: rows }, (_, i) => -i) },
    }))
  const sizes = fc.integer({ min: 1, max: 12 })
  const concatenated = (batches: readonly Batch[]): number[] => batches.flatMap((b) => [...b.values])

  test('after batch concatenate to the original, all full but the last', () => {
    fc.assert(
      fc.property(tables, sizes, (table, size) => {
        const batches = dataset(table).batch(size).toArray() as { x: Batch; y: Batch }[]
        expect(concatenated(batches.map((b) => b.x))).toEqual([...table.x.values])
        expect(concatenated(batches.map((b) => b.y))).toEqual([...table.y.values])
        batches.forEach((b, i) => {
          const rows = i < batches.length - 1 ? size : table.x.shape[0]! - i * size
          expect([b.x.shape, b.y.shape]).toEqual([[rows, table.x.shape[1]], [rows]])
        })
      }),
    )
  })

  test('gathers from a store what it stacks from rows, in any order', () => {
    fc.assert(
      fc.property(tables, sizes, seeds, fc.boolean(), fc.nat({ max: 5 }), (table, size, k, dropLast, n) => {
        const shape = (d: Dataset<{ readonly x: Batch; readonly y: Batch }>) =>
          d.skip(n).shuffle({ key: k }).take(30).batch(size, { dropLast }).toArray(n)
        const rows = dataset(table).toArray() as { x: Batch; y: Batch }[]
        expect(shape(dataset(table))).toEqual(shape(dataset(rows)))
      }),
    )
  })

  test('with dropLast leaves out the rows that do not fill a batch', () => {
    const d = dataset({ x: { shape: [7], values: Float32Array.from(upTo(7)) } })
    expect(d.batch(3).length).toBe(3)
    expect(d.batch(3, { dropLast: true }).length).toBe(2)
    expect(d.batch(3, { dropLast: true }).toArray()).toEqual([
      { x: { shape: [3], values: Float32Array.of(0, 1, 2) } },
      { x: { shape: [3], values: Float32Array.of(3, 4, 5) } },
    ])
  })

  test('gives arrays of its own each time', () => {
    const d = dataset({ x: { shape: [4], values: Float32Array.from(upTo(4)) } }).batch(2)
    const [first] = d.toArray() as { x: Batch }[]
    first!.x.values.fill(9)
    expect((d.toArray() as { x: Batch }[])[0]!.x.values).toEqual(Float32Array.of(0, 1))
  })

  test('of batches stacks once more', () => {
    const d = dataset({ x: { shape: [4], values: Float32Array.from(upTo(4)) } })
    expect(d.batch(2).batch(2).toArray()).toEqual([
      { x: { shape: [2, 2], values: Float32Array.of(0, 1, 2, 3) } },
    ])
  })

  const row = (shape: number[], values: number[]) => ({ x: { shape, values: Float32Array.from(values) } })
  test.each([
    [
      [row([2], [1, 2]), row([2], [3, 4]), row([2], [1, 2]), row([3], [1, 2, 3])],
      RangeError,
      'batch: the shapes of x differ, got [3] in row 3 and [2] in row 2',
    ],
    [[row([2], [1, 2]), row([2], [3])], RangeError, 'batch: x of row 1 has shape [2] but 1 values'],
    [[row([], [1]), { y: row([], [1]).x }], RangeError, 'batch: row 1 has the fields y, row 0 has x'],
    [
      [row([], [1]), 5],
      TypeError,
      'batch: row 1 must be a record of { shape, values: Float32Array }, got a number; make rows with map first',
    ],
    [
      [{ x: row([], [1]).x, label: 3 }],
      TypeError,
      'batch: row 0 must be a record of { shape, values: Float32Array }, but its label is a number; make rows with map first',
    ],
  ])('names the row and the field that do not fit (%#)', (rows, kind, text) => {
    expect(() => dataset<unknown>(rows).batch(2).toArray()).toThrow(refusal(kind, text))
  })

  test('refuses a size below 1', () => {
    expect(() => dataset([1]).batch(0)).toThrow(
      refusal(RangeError, 'batch: the size must be an integer of at least 1, got 0'),
    )
  })
})

describe('split', () => {
  test('by counts or fractions partitions the positions', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 5 }),
        (n, weights) => {
          const total = weights.reduce((sum, w) => sum + w, 0)
          fc.pre(total > 0)
          const fractions = Object.fromEntries(weights.map((w, i) => [`part${i}`, w / total]))
          const parts = Object.values(dataset(upTo(n)).split(fractions))
          expect(parts.flatMap((part) => part.toArray() as number[])).toEqual(upTo(n))
          parts.forEach((part, i) => {
            expect(Math.abs(part.length! - (n * weights[i]!) / total)).toBeLessThanOrEqual(1)
          })
          if (total <= 1 || total > n) return
          const counts = Object.fromEntries(weights.map((w, i) => [`part${i}`, w]))
          const counted = Object.values(dataset(upTo(n)).split(counts))
          expect(counted.map((part) => part.length)).toEqual(weights)
          expect(counted.flatMap((part) => part.toArray() as number[])).toEqual(upTo(total))
        },
      ),
    )
  })

  test('names its parts, and leaves the rest when fractions sum to less than 1', () => {
    const { train, test } = dataset(upTo(10)).split({ train: 0.7, test: 0.2 })
    expect(train.toArray()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(test.toArray()).toEqual([7, 8])
    expect(dataset(upTo(3)).split({ all: 1 }).all.toArray()).toEqual([0, 1, 2])
  })

  test('by counts works where the length is unknown', async () => {
    const { a, b } = dataset(() => later(10)).split({ a: 4, b: 3 })
    expect([await a.toArray(), await b.toArray()]).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
    ])
  })

  test('after a shuffle needs an order that stays', () => {
    const d = dataset(upTo(10))
    expect(() =>
      d
        .shuffle({ key: key(1) })
        .map((n) => n)
        .split({ a: 0.5, b: 0.5 }),
    ).toThrow(
      refusal(
        TypeError,
        'split: the dataset is reordered in each epoch, so its parts would exchange elements; split first and shuffle the parts, or shuffle with eachEpoch: false',
      ),
    )
    const { a, b } = d.shuffle({ key: key(1), eachEpoch: false }).split({ a: 0.5, b: 0.5 })
    expect(sorted([...(a.toArray(3) as number[]), ...(b.toArray(8) as number[])])).toEqual(upTo(10))
  })

  test.each([
    [{ a: 0.8, b: 0.3 }, 'split: fractions must sum to at most 1, got 1.1'],
    [{ a: 0.5, b: 3 }, 'split: fractions must sum to at most 1, got 3.5'],
    [{ a: 8, b: 3 }, 'split: the parts ask for 11 elements of 10'],
    [{ a: -1 }, 'split: a must be a fraction or a count, got -1'],
    [{ a: Number.NaN }, 'split: a must be a fraction or a count, got NaN'],
  ])('refuses the parts %o', (parts, text) => {
    expect(() => dataset(upTo(10)).split(parts as Record<string, number>)).toThrow(refusal(RangeError, text))
  })

  test('refuses fractions of an unknown length, and parts that are none', () => {
    expect(() => dataset(new Set([1])).split({ a: 0.5 })).toThrow(
      refusal(RangeError, 'split: the length is unknown, so fractions of it are too; pass counts'),
    )
    expect(() => dataset([1]).split(0.8 as unknown as Record<string, number>)).toThrow(
      refusal(TypeError, 'split: expected parts such as { train: 0.8, test: 0.2 }, got a number'),
    )
  })
})

describe('repeat', () => {
  test('of nothing ends, however often', () => {
    expect(dataset(new Set<number>()).repeat().toArray()).toEqual([])
  })

  test('knows its length', () => {
    expect(dataset([1, 2]).repeat(3).length).toBe(6)
    expect(dataset([1, 2]).repeat().length).toBe(Infinity)
    expect(dataset([]).repeat().length).toBe(0)
    expect(dataset(new Set([1])).repeat(2).length).toBeUndefined()
  })
})

describe('take, skip, repeat, map and filter', () => {
  test.each([
    [() => dataset([1]).take(-1), RangeError, 'take: the count must be an integer of at least 0, got -1'],
    [
      () => dataset([1]).take('2' as unknown as number),
      TypeError,
      'take: the count must be an integer of at least 0, got a string',
    ],
    [() => dataset([1]).skip(0.5), RangeError, 'skip: the count must be an integer of at least 0, got 0.5'],
    [() => dataset([1]).repeat(-2), RangeError, 'repeat: the count must be an integer of at least 0, got -2'],
    [() => dataset([1]).map(3 as unknown as () => 1), TypeError, 'map: expected a function, got a number'],
    [
      () => dataset([1]).filter(null as unknown as () => true),
      TypeError,
      'filter: expected a function, got null',
    ],
  ])('refuse what they cannot work with (%#)', (call, kind, text) => {
    expect(call).toThrow(refusal(kind, text))
  })
})
