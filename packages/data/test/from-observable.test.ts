import { key } from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Batch,
  type Dataset,
  fromObservable,
  type LiveDataset,
  type Overflow,
  type Pulled,
  type Subscribable,
} from '../src/index.ts'
import { upTo } from './passes.ts'
import { refusal } from './refusal.ts'

type Observer<T> = Parameters<Subscribable<T>['subscribe']>[0]

/** A source in the hands of a test. It says all it is told to, also to those who have unsubscribed. */
function subject<T>() {
  const observers: Observer<T>[] = []
  const log: string[] = []
  const source: Subscribable<T> = {
    subscribe: (observer) => {
      observers.push(observer)
      log.push('subscribe')
      return { unsubscribe: () => log.push('unsubscribe') }
    },
  }
  return {
    source,
    log,
    next: (value: T) => {
      for (const observer of observers) observer.next(value)
    },
    error: (error: unknown) => {
      for (const observer of observers) observer.error(error)
    },
    complete: () => {
      for (const observer of observers) observer.complete()
    },
  }
}

/** A source that says everything inside of `subscribe`, as `of(0, 1, 2)` does. */
const atOnce = (n: number): Subscribable<number> => ({
  subscribe: (observer) => {
    for (const i of upTo(n)) observer.next(i)
    observer.complete()
    return { unsubscribe: () => {} }
  },
})

const overflowed = (elements: string): Error =>
  refusal(
    RangeError,
    `fromObservable: the source gave an element while ${elements} waited to be pulled, which is all that the buffer holds; slow the source down, or pass a larger buffer, or overflow: 'dropOldest' or 'dropNewest'`,
  )

/** What happens to a pass, and what is pulled from it. */
type Move = 'push' | 'pull' | 'complete' | 'fail' | 'return'
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Move>('push') },
    { weight: 7, arbitrary: fc.constant<Move>('pull') },
    { weight: 1, arbitrary: fc.constantFrom<Move>('complete', 'fail', 'return') },
  ),
  { maxLength: 60 },
)
const policies = fc.constantFrom<Overflow>('error', 'dropOldest', 'dropNewest')

/** What is pulled, as words: a number, the end or an error. */
type Outcome = number | 'end' | 'failed' | 'overflow'

/** A pass as a list, and a pull that waits: what every pull has to come to. */
function expected(list: readonly Move[], buffer: number, overflow: Overflow) {
  const outcomes: (Outcome | 'open')[] = []
  let queue: number[] = []
  let end: Outcome | null = null
  // An error is told once; then a pass is at its end.
  let told = false
  let dropped = 0
  let pushed = 0
  const close = (how: Outcome): void => {
    if (end !== null) return
    end = how
    if (outcomes.at(-1) !== 'open') return
    outcomes[outcomes.length - 1] = how
    told = true
  }
  for (const move of list) {
    if (move === 'push') {
      const value = pushed++
      if (end !== null) continue
      if (outcomes.at(-1) === 'open') outcomes[outcomes.length - 1] = value
      else if (queue.length < buffer) queue.push(value)
      else if (overflow === 'error') close('overflow')
      else {
        dropped++
        if (overflow === 'dropOldest') queue = [...queue.slice(1), value]
      }
    } else if (move === 'complete') close('end')
    else if (move === 'fail') close('failed')
    else if (move === 'return') {
      queue = []
      if (end !== null) told = true
      close('end')
    } else if (outcomes.at(-1) !== 'open') {
      if (queue.length > 0) outcomes.push(queue.shift()!)
      else if (end === null) outcomes.push('open')
      else {
        outcomes.push(told ? 'end' : end)
        told = true
      }
    }
  }
  if (outcomes.at(-1) === 'open') outcomes.pop()
  return { outcomes, dropped }
}

describe('a pass over a live source', () => {
  test('pulls what a bounded list would give, in any order of pushes and pulls', async () => {
    await fc.assert(
      fc.asyncProperty(moves, fc.integer({ min: 1, max: 5 }), policies, async (list, buffer, overflow) => {
        const { source, next, error, complete } = subject<number>()
        const live = fromObservable(source, { buffer, overflow })
        const pull = live.iterate()
        const outcomes: Promise<Outcome>[] = []
        let open = false
        let pushed = 0
        for (const move of list) {
          if (move === 'push') next(pushed++)
          else if (move === 'complete') complete()
          else if (move === 'fail') error(new Error('failed'))
          else if (move === 'return') await pull.return?.()
          else if (!open) {
            const outcome = pulled(() => pull.next())
            open = outcome instanceof Promise
            outcomes.push(
              Promise.resolve(outcome).finally(() => {
                open = false
              }),
            )
          }
          // What was resolved is told.
          for (let i = 0; i < 5; i++) await Promise.resolve()
        }
        if (open) void outcomes.pop()
        const wanted = expected(list, buffer, overflow)
        expect(await Promise.all(outcomes)).toEqual(wanted.outcomes)
        expect(live.dropped).toBe(wanted.dropped)
      }),
      { numRuns: 300 },
    )
  })

  test('subscribes when it starts, and unsubscribes when it is closed', async () => {
    const { source, log, next } = subject<number>()
    const live = fromObservable(source)
    expect(log).toEqual([])
    const pull = live.map((n) => 2 * n).iterate()
    expect(log).toEqual(['subscribe'])
    next(1)
    expect(pull.next()).toEqual({ done: false, value: 2 })
    await pull.return?.()
    expect(log).toEqual(['subscribe', 'unsubscribe'])
    next(2)
    expect(pull.next()).toEqual({ done: true, value: undefined })
  })

  test('that is closed while it waits is at its end', async () => {
    const { source } = subject<number>()
    const pull = fromObservable(source).iterate()
    const waiting = pull.next()
    expect(waiting).toBeInstanceOf(Promise)
    await pull.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  test('unsubscribes when it overflows, and tells so after what waited', () => {
    const { source, log, next } = subject<number>()
    const pull = fromObservable(source, { buffer: 2 }).iterate()
    for (const i of upTo(4)) next(i)
    expect(log).toEqual(['subscribe', 'unsubscribe'])
    expect([pull.next(), pull.next()]).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
    ])
    expect(() => pull.next()).toThrow(overflowed('2 elements'))
    expect(pull.next()).toEqual({ done: true, value: undefined })
  })

  test('unsubscribes from a source that overflows inside of subscribe', () => {
    const log: string[] = []
    const source: Subscribable<number> = {
      subscribe: (observer) => {
        for (const i of upTo(3)) observer.next(i)
        return { unsubscribe: () => log.push('unsubscribe') }
      },
    }
    const pull = fromObservable(source, { buffer: 1 }).iterate()
    expect(log).toEqual(['unsubscribe'])
    expect(pull.next()).toEqual({ done: false, value: 0 })
    expect(() => pull.next()).toThrow(overflowed('1 element'))
  })

  test.each([
    ['error', [0, 1, 2], 0],
    ['dropOldest', [2, 3, 4], 2],
    ['dropNewest', [0, 1, 2], 2],
  ] as const)(
    'with a source that says all at once keeps what the buffer holds: %s',
    (overflow, kept, dropped) => {
      const live = fromObservable(atOnce(5), { buffer: 3, overflow })
      const pull = live.iterate()
      for (const value of kept) expect(pull.next()).toEqual({ done: false, value })
      if (overflow === 'error') expect(() => pull.next()).toThrow(overflowed('3 elements'))
      else expect(pull.next()).toEqual({ done: true, value: undefined })
      expect(live.dropped).toBe(dropped)
    },
  )

  test('holds 64 elements by default', () => {
    expect(fromObservable(atOnce(64)).toArray()).toEqual(upTo(64))
    expect(() => fromObservable(atOnce(65)).toArray()).toThrow(overflowed('64 elements'))
  })

  test('is one of several: each has a subscription and a buffer of its own', async () => {
    const { source, log, next } = subject<number>()
    const live = fromObservable(source, { buffer: 1, overflow: 'dropNewest' })
    const [one, other] = [live.iterate(), live.iterate()]
    next(1)
    expect(one.next()).toEqual({ done: false, value: 1 })
    next(2)
    expect([one.next(), other.next()]).toEqual([
      { done: false, value: 2 },
      { done: false, value: 1 },
    ])
    expect(live.dropped).toBe(1)
    expect(log).toEqual(['subscribe', 'subscribe'])
  })
})

describe('fromObservable', () => {
  test('gives a dataset like any other', async () => {
    const { source, next, complete } = subject<{ x: Batch }>()
    const element = (n: number) => ({ x: { shape: [1], values: Float32Array.of(n) } })
    const batched = fromObservable(source)
      .filter(({ x }) => x.values[0]! > 0)
      .skip(1)
      .batch(2)
    expectTypeOf(batched).toEqualTypeOf<Dataset<{ readonly x: Batch }>>()
    expect([batched.length, batched.live]).toEqual([undefined, true])
    const all = batched.toArray()
    for (const n of [5, -1, 1, 2, 3]) {
      next(element(n))
      await Promise.resolve()
    }
    complete()
    expect(await all).toEqual([
      { x: { shape: [2, 1], values: Float32Array.of(1, 2) } },
      { x: { shape: [1, 1], values: Float32Array.of(3) } },
    ])
  })

  test('is live through every stage', () => {
    const live = fromObservable(atOnce(3))
    const stages: Dataset<unknown>[] = [
      live.map((n) => n),
      live.filter(() => true),
      live.take(1),
      live.skip(1),
      live.repeat(2),
      live.shuffle({ key: key(1), buffer: 2 }),
      live.batch(2),
      ...Object.values(live.split({ a: 1, b: 2 })),
    ]
    expect(stages.map((stage) => stage.live)).toEqual(stages.map(() => true))
  })

  test('can be read with for await', async () => {
    const seen: number[] = []
    for await (const n of fromObservable(atOnce(3))) seen.push(n)
    expect(seen).toEqual([0, 1, 2])
  })

  test.each([
    [
      () => fromObservable(5 as never),
      TypeError,
      'the source must have subscribe, got a number; pass an Observable',
    ],
    [
      () => fromObservable({} as never),
      TypeError,
      'the source must have subscribe, got an object; pass an Observable',
    ],
    [
      () => fromObservable(atOnce(1), { buffer: 0 }),
      RangeError,
      'the buffer must be an integer of at least 1, got 0',
    ],
    [
      () => fromObservable(atOnce(1), { buffer: Infinity }),
      RangeError,
      'the buffer must be an integer of at least 1, got Infinity',
    ],
    [
      () => fromObservable(atOnce(1), { overflow: 'drop' as never }),
      TypeError,
      "overflow must be 'error', 'dropOldest' or 'dropNewest', got 'drop'",
    ],
    [
      () => fromObservable(atOnce(1), { size: 3 } as never),
      RangeError,
      "unknown option 'size'; use buffer, overflow",
    ],
  ])('refuses what it cannot work with (%#)', (call, kind, text) => {
    expect(call).toThrow(refusal(kind, `fromObservable: ${text}`))
  })

  test('is typed by its source', () => {
    expectTypeOf(fromObservable(atOnce(1))).toEqualTypeOf<LiveDataset<number>>()
  })
})

function pulled(pull: () => Pulled<number>): Outcome | Promise<Outcome> {
  const outcome = (result: IteratorResult<number, undefined>): Outcome => (result.done ? 'end' : result.value)
  const failure = (error: unknown): Outcome => (error instanceof RangeError ? 'overflow' : 'failed')
  try {
    const result = pull()
    return result instanceof Promise ? result.then(outcome, failure) : outcome(result)
  } catch (error) {
    return failure(error)
  }
}
