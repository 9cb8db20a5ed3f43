import { key } from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type Batch, type Dataset, dataset } from '../src/index.ts'
import { later, pulls, upTo } from './passes.ts'
import { refusal } from './refusal.ts'

const columns = {
  x: { shape: [3, 2], values: Float32Array.of(0, 1, 2, 3, 4, 5) },
  y: { shape: [3], values: Float32Array.of(7, 8, 9) },
}

describe('dataset', () => {
  test('over a record of arrays gives their rows', () => {
    const points = dataset(columns)
    expectTypeOf(points).toEqualTypeOf<Dataset<{ readonly x: Batch; readonly y: Batch }>>()
    expect(points.length).toBe(3)
    expect(points.toArray()).toEqual(
      [0, 1, 2].map((i) => ({
        x: { shape: [2], values: columns.x.values.slice(2 * i, 2 * i + 2) },
        y: { shape: [], values: columns.y.values.slice(i, i + 1) },
      })),
    )
  })

  test('gives rows that are copies: writing to one leaves the store as it was', () => {
    const rows = dataset(columns).toArray() as { x: Batch }[]
    rows[0]!.x.values.fill(99)
    expect(columns.x.values[0]).toBe(0)
  })

  test('over a list, an indexed source or a typed array knows its length', () => {
    expect(dataset(['a', 'b']).length).toBe(2)
    expect(dataset({ length: 3, at: (i) => i * i }).toArray()).toEqual([0, 1, 4])
    expect(dataset(Float32Array.of(5, 6)).toArray()).toEqual([5, 6])
  })

  test('over an indexed source that answers with promises is asynchronous', async () => {
    const squares = dataset({ length: 3, at: async (i) => i * i })
    expect(await squares.map((n) => n + 1).toArray()).toEqual([1, 2, 5])
  })

  test('over an iterable reads it anew in each pass', () => {
    const set = dataset(new Set([1, 2]))
    expect(set.length).toBeUndefined()
    expect([set.toArray(), set.toArray()]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('over a function hands it the epoch', async () => {
    expect(dataset((epoch) => [epoch, epoch + 1]).toArray(5)).toEqual([5, 6])
    const asynchronous = dataset(() => later(3))
    expect(await asynchronous.toArray()).toEqual([0, 1, 2])
    expect(await asynchronous.toArray()).toEqual([0, 1, 2])
  })

  test('over an iterator is read once, and says so the second time', () => {
    const once = dataset([1, 2].values())
    expect(once.toArray()).toEqual([1, 2])
    expect(() => once.toArray()).toThrow(
      refusal(
        TypeError,
        'dataset: this source is an iterator and has been read already; pass a function that makes a new one',
      ),
    )
  })

  test('stays synchronous over a synchronous source, and turns to promises where a stage does', async () => {
    const numbers = dataset(new Set([1, 2, 3]))
    expect(
      numbers
        .map((n) => n * 2)
        .iterate()
        .next(),
    ).toEqual({ done: false, value: 2 })
    const slow = numbers.map(async (n) => n * 2)
    expect(slow.iterate().next()).toBeInstanceOf(Promise)
    expect(await slow.filter((n) => n > 2).toArray()).toEqual([4, 6])
  })

  test('is read by for, and by spreading, where nothing is asynchronous', () => {
    const numbers = dataset(new Set([1, 2, 3])).map((n) => n + 1)
    expect([...numbers]).toEqual([2, 3, 4])
    const events: string[] = []
    const closing = dataset(function* () {
      try {
        yield* [1, 2, 3]
      } finally {
        events.push('closed')
      }
    })
    for (const n of closing) if (n === 2) break
    expect(events).toEqual(['closed'])
    expect(() => [...dataset(() => later(3))]).toThrow(
      refusal(TypeError, 'dataset: the source or a stage is asynchronous; read it with for await'),
    )
  })

  test('is read by for await, and closed when the loop is left', async () => {
    let closed = false
    const numbers = dataset(function* () {
      try {
        yield* [1, 2, 3]
      } finally {
        closed = true
      }
    })
    const seen: number[] = []
    for await (const n of numbers) {
      seen.push(n)
      if (n === 2) break
    }
    expect(seen).toEqual([1, 2])
    expect(closed).toBe(true)
  })

  test('computes nothing before it is pulled, and nothing ahead', () => {
    const seen: number[] = []
    const pull = dataset(upTo(5))
      .map((n) => seen.push(n))
      .iterate()
    expect(seen).toEqual([])
    void pull.next()
    expect(seen).toEqual([0])
  })

  test.each([
    [undefined, 'undefined'],
    [7, 'a number'],
    ['text', 'a string'],
    [{ x: [1] }, 'an object'],
    [{}, 'an object'],
  ])('refuses the source %o', (source, came) => {
    expect(() => dataset(source as unknown as number[])).toThrow(
      refusal(
        TypeError,
        `dataset: cannot read from ${came}; pass arrays { x: { shape, values } }, a list, { length, at }, an iterable or a function that makes one`,
      ),
    )
  })

  test('refuses arrays that do not fit together', () => {
    const values = new Float32Array(6)
    expect(() => dataset({ x: { shape: [2, 2], values } })).toThrow(
      refusal(RangeError, 'dataset: x has shape [2,2] but 6 values'),
    )
    expect(() => dataset({ x: { shape: [], values: values.slice(0, 1) } })).toThrow(
      refusal(RangeError, 'dataset: x has no leading axis of rows, got shape []'),
    )
    expect(() => dataset({ x: { shape: [2, 3], values }, y: { shape: [6], values } })).toThrow(
      refusal(RangeError, 'dataset: the arrays differ in their number of rows, got x 2, y 6'),
    )
  })

  test.each(['at once', 'by and by'])(
    'tells what a stage threw %s, not what closing the source says to it',
    async (how) => {
      const failing = { next: () => ({ done: false, value: 1 }) as const }
      const noFile = (): never => {
        throw new Error('no file')
      }
      const source =
        how === 'at once'
          ? { [Symbol.iterator]: () => ({ ...failing, return: noFile }) }
          : {
              [Symbol.asyncIterator]: () => ({
                next: async () => failing.next(),
                return: async () => noFile(),
              }),
            }
      const mapped = dataset(() => source).map(() => {
        throw new Error('no number')
      })
      await expect((async () => mapped.toArray())()).rejects.toThrow('no number')
    },
  )

  test('refuses a length, an epoch and a function result that are none', () => {
    expect(() => dataset({ length: 1.5, at: (i) => i })).toThrow(
      refusal(RangeError, 'dataset: the length must be an integer of at least 0, got 1.5'),
    )
    expect(() => dataset([1]).iterate(-1)).toThrow(
      refusal(RangeError, 'iterate: the epoch must be an integer of at least 0, got -1'),
    )
    expect(() => dataset((() => 3) as unknown as () => number[]).toArray()).toThrow(
      refusal(TypeError, 'dataset: the source function must return an iterable, got a number'),
    )
    expect(() => dataset([1]).repeat().toArray()).toThrow(
      refusal(RangeError, 'toArray: the dataset has no end; take(count) of it first'),
    )
  })
})

describe('an early return', () => {
  const stages: [string, (d: Dataset<number>) => Dataset<unknown>][] = [
    ['map', (d) => d.map((n) => n + 1)],
    ['filter', (d) => d.filter((n) => n > 3)],
    ['shuffle', (d) => d.shuffle({ key: key(1), buffer: 3 })],
    ['batch', (d) => d.map((n) => ({ n: { shape: [], values: Float32Array.of(n) } })).batch(2)],
    ['take', (d) => d.take(5)],
    ['skip', (d) => d.skip(2)],
    ['repeat', (d) => d.repeat()],
    ['split', (d) => d.split({ a: 3, b: 3 }).b],
  ]
  const counting = (events: string[]) =>
    dataset(function* () {
      events.push('open')
      try {
        yield* upTo(10)
      } finally {
        events.push('close')
      }
    })
  const countingLater = (events: string[]) =>
    dataset(async function* () {
      events.push('open')
      try {
        yield* later(10)
      } finally {
        events.push('close')
      }
    })

  test.each(stages)('passes through %s to the source, once, and ends the pass', async (_, stage) => {
    for (const source of [counting, countingLater]) {
      const events: string[] = []
      const pull = stage(source(events)).iterate()
      expect((await pull.next()).done).toBe(false)
      await pull.return?.()
      await pull.return?.()
      expect(events).toEqual(['open', 'close'])
      expect(await pull.next()).toEqual({ done: true, value: undefined })
    }
  })

  test('closes the source when a function throws, and the pass stays ended', async () => {
    for (const source of [counting, countingLater]) {
      const events: string[] = []
      const pull = source(events)
        .map((n) => {
          if (n === 1) throw new Error('no ones')
          return n
        })
        .filter(() => true)
        .iterate()
      expect(await pull.next()).toEqual({ done: false, value: 0 })
      await expect(async () => pull.next()).rejects.toThrow('no ones')
      expect(events).toEqual(['open', 'close'])
      expect((await pull.next()).done).toBe(true)
    }
  })

  test('take closes the source when it has had enough', async () => {
    for (const source of [counting, countingLater]) {
      const events: string[] = []
      expect(await source(events).take(3).toArray()).toEqual([0, 1, 2])
      expect(events).toEqual(['open', 'close'])
    }
  })

  test('a source that has ended is asked no more, and not told to end', () => {
    const asked: string[] = []
    const source = {
      [Symbol.iterator]: () => ({
        next: () => {
          asked.push('next')
          return { done: true as const, value: undefined }
        },
        return: () => {
          asked.push('return')
          return { done: true as const, value: undefined }
        },
      }),
    }
    const pull = dataset<number>(source)
      .map((n) => n)
      .iterate()
    for (let i = 0; i < 3; i++) expect(pull.next()).toEqual({ done: true, value: undefined })
    void pull.return?.()
    expect(asked).toEqual(['next'])
  })

  test('after the end, every further pull gives the end', async () => {
    for (const [, stage] of stages) {
      const pull = stage(dataset(() => upTo(6)))
        .take(20)
        .iterate()
      const ends = (await pulls(pull, 30)).map((result) => result.done)
      expect(ends.slice(20)).toEqual(new Array(10).fill(true))
    }
  })
})
