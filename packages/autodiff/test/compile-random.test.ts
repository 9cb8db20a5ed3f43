import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import {
  bitsOf,
  counted,
  eagerly,
  expectEager,
  leftBy,
  nothing,
  type Program,
  refusal,
  untyped,
} from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const numRuns = import.meta.env['LONG'] === '1' ? 3000 : 150

// A walk from a key to a key: each turn splits, folds in a number or a text, or folds in a number that is passed.
const word = fc.integer({ min: 0, max: 0xffffffff })
const turn = fc.oneof(
  fc.tuple(fc.constant('split' as const), fc.nat(3)),
  fc.tuple(fc.constant('fold' as const), fc.oneof(word, fc.string())),
  fc.tuple(fc.constant('passed' as const), fc.nat(2)),
)
type Turn = readonly ['split', number] | readonly ['fold', number | string] | readonly ['passed', number]

function walk(key: t.Key, turns: readonly Turn[], passed: readonly number[]): t.Key {
  return turns.reduce((at, [kind, by]) => {
    if (kind === 'split') return t.split(at, by + 2)[by]!
    return t.foldIn(at, kind === 'passed' ? passed[by]! : by)
  }, key)
}

type Draw = (key: t.Key, shape: readonly number[], a: number, b: number) => t.Tensor
const draws: Readonly<Record<string, Draw>> = {
  uniform: (key, shape) => t.uniform(key, shape),
  'uniform in a range': (key, shape, a, b) => t.uniform(key, shape, a, b),
  normal: (key, shape) => t.normal(key, shape),
  'normal of a mean': (key, shape, a, b) => t.normal(key, shape, a, b),
  truncatedNormal: (key, shape) => t.truncatedNormal(key, shape),
  'truncatedNormal of a mean': (key, shape, a, b) => t.truncatedNormal(key, shape, a, b),
  bernoulli: (key, shape) => t.bernoulli(key, shape),
  'bernoulli of p': (key, shape, a) => t.bernoulli(key, shape, a),
  permutation: (key, shape) => t.permutation(key, t.sizeOf(shape)),
}

/** The second one, once the first is done. */
const after = <T>(_done: unknown, result: T): T => result

describe('random numbers', () => {
  it.each(Object.entries(draws))(
    '%s: the bits of the function, from any key and any numbers, recorded once',
    (_, draw) => {
      const seeds = fc.tuple(fc.nat(), fc.tuple(word, word, word), fc.double({ min: 0, max: 1, noNaN: true }))
      const shape = fc.constantFrom([], [1], [3], [5, 7], [0], [2, 0], [300])
      fc.assert(
        fc.property(
          fc.array(turn, { maxLength: 5 }),
          shape,
          fc.array(seeds, { minLength: 1, maxLength: 4 }),
          (turns, shape, calls) => {
            const f = (key: t.Key, passed: readonly number[], a: number, x: t.Tensor, b: number) => {
              const at = walk(key, turns, passed)
              return {
                at,
                y: draw(at, shape, a, b),
                sum: t.add(x, t.sum(draw(t.foldIn(at, 1), shape, a, b))),
              }
            }
            const { f: counting, runs } = counted(f)
            const compiled = t.compile(counting, { donate: [3] })
            for (const [seed, passed, a] of calls) {
              const args = () => [t.key(seed), passed, a, t.ones([3]), a + 1] as const
              const expected = eagerly(f, args)
              t.scope(() => expect(bitsOf(compiled(...args()))).toEqual(expected))
            }
            expect(runs()).toBe(1)
            compiled.dispose()
          },
        ),
        { numRuns },
      )
    },
  )

  it('are drawn with keys from a closure as with others, alone or beside keys and numbers that are passed', () => {
    const key = t.key(77)
    expectEager(
      (k: t.Key, n: number, p: number) => ({
        constant: t.uniform(key, [3]),
        passed: t.uniform(t.foldIn(key, n), [3]),
        chance: t.bernoulli(key, [9], p),
        mixed: t.normal(t.foldIn(t.split(k)[1]!, n), [3], p, 1),
        keys: [key, k, t.foldIn(key, 'text'), t.foldIn(k, 'text'), ...t.split(k, 3), ...t.split(key, 1)],
      }),
      () => [t.key(3), 12, 0.25],
    )
  })

  it('come from a chain of keys as long as one likes', () => {
    const f = (k: t.Key): unknown => {
      let at = k
      for (let i = 0; i < 20000; i++) at = t.foldIn(at, i)
      return [at, t.uniform(at, [2])]
    }
    expectEager(f, () => [t.key(1)])
  })

  it('are the same in a gradient, a scan and a fold', () => {
    const noisy = (w: t.Tensor, k: t.Key, rate: number) =>
      t.sum(
        t.square(
          t.add(t.mul(w, t.bernoulli(k, w.shape, rate)), t.normal(t.foldIn(k, 'noise'), w.shape, 0, rate)),
        ),
      )
    expectEager(
      (w: t.Tensor, k: t.Key, rate: number) => [
        t.grad(noisy)(w, k, rate),
        t.fold(w, [1, 2, 3], (v, i) => t.sub(v, t.grad(noisy)(v, t.foldIn(k, i), rate))),
        t.scan((v: t.Tensor, at: t.Key) => ({ carry: t.add(v, t.uniform(at, [2, 3])), y: v }), w, k, {
          length: 3,
        }),
      ],
      () => [t.ones([2, 3]), t.key(8), 0.3],
    )
  })
})

/** Refused as the function itself refuses, before anything is written: arguments keep their bits, and the next call is right. */
function expectRefused(
  f: Program,
  good: () => readonly unknown[],
  bad: () => readonly unknown[],
  error: string,
): void {
  expect(refusal(() => t.scope(() => void f(...(bad() as never[]))))).toBe(error)
  const expected = eagerly(f, good)
  for (const options of [{}, { donate: [0] }, { donate: [0], reuse: true }]) {
    const left = leftBy(() => {
      const compiled = untyped(f, options)
      for (let call = 0; call < 2; call++) {
        t.scope(() => {
          const args = bad()
          const before = bitsOf(args)
          expect(refusal(() => compiled(...args))).toBe(error)
          expect(bitsOf(args)).toEqual(before)
        })
        t.scope(() => expect(bitsOf(compiled(...good()))).toEqual(expected))
      }
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  }
}

describe('numbers that are passed are checked at the run', () => {
  const w = () => t.tensor([1, 2, 3])
  type Drawing = (w: t.Tensor, k: t.Key, a: number, b: number) => unknown
  const rows: readonly (readonly [string, Drawing, readonly [number, number], string])[] = [
    [
      'p',
      (x, k, p) => t.mul(x, t.bernoulli(k, [3], p)),
      [1.5, 0],
      'bernoulli: the probability must lie in [0, 1], got 1.5',
    ],
    [
      'p, not a number',
      (x, k, p) => t.mul(x, t.bernoulli(k, [3], p)),
      [Number.NaN, 0],
      'bernoulli: p must be finite, got NaN',
    ],
    [
      'a mean',
      (x, k, mean) => t.mul(x, t.normal(k, [3], mean)),
      [Number.POSITIVE_INFINITY, 0],
      'normal: mean must be finite, got Infinity',
    ],
    [
      'a deviation',
      (x, k, _, s) => t.mul(x, t.truncatedNormal(k, [3], 0, s)),
      [0, Number.NaN],
      'truncatedNormal: standardDeviation must be finite, got NaN',
    ],
    [
      'a range',
      (x, k, low, high) => t.mul(x, t.uniform(k, [3], low, high)),
      [2, 1],
      'uniform: low must be below high and both finite, got low 2 and high 1',
    ],
    [
      'an index',
      (x, k, n) => t.mul(x, t.uniform(t.foldIn(k, n), [3])),
      [0.5, 0],
      'foldIn: the index must be an integer from 0 to 4294967295, got 0.5',
    ],
    [
      'an index of a key that is returned',
      (x, k, n) => [t.neg(x), t.foldIn(k, n)],
      [-1, 0],
      'foldIn: the index must be an integer from 0 to 4294967295, got -1',
    ],
    [
      'p, after all else',
      (x, k, p) => [t.exp(t.neg(x)), t.sum(x), t.mul(t.tanh(x), t.bernoulli(t.foldIn(k, 1), [3], p))],
      [-1, 0],
      'bernoulli: the probability must lie in [0, 1], got -1',
    ],
  ]
  it.each(rows)('%s', (_, f, [a, b], error) => {
    expectRefused(
      f,
      () => [w(), t.key(1), 1, 2],
      () => [w(), t.key(1), a, b],
      `RangeError: ${error}`,
    )
  })
})

describe('labels are checked at the run', () => {
  const w = () =>
    t.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
  const labels =
    (...list: number[]) =>
    () => [w(), t.tensor(list)]
  const notAmong = (operation: string, label: number, place: number, last: number) =>
    `RangeError: ${operation}: index ${label} at place ${place} is not an integer from 0 to ${last}; count classes from 0`
  type Labelled = (w: t.Tensor, labels: t.Tensor) => unknown
  const rows: readonly (readonly [string, Labelled, string, number])[] = [
    ['gather', (x, at) => t.mul(t.gather(x, at), 2), 'gather', 2],
    ['oneHot', (x, at) => t.add(t.oneHot(at, 3), t.sum(x)), 'oneHot', 2],
    ['scatterAdd', (x, at) => t.scatterAdd(t.exp(x), at, 3), 'scatterAdd', 2],
    ['whose result nobody uses', (x, at) => after(t.gather(x, at), t.neg(x)), 'gather', 2],
    ['after all else', (x, at) => [t.neg(x), t.exp(t.neg(x)), t.oneHot(t.add(at, 0), 3)], 'oneHot', 2],
    ['in a gradient', (x, at) => t.grad((v: t.Tensor) => t.sum(t.square(t.gather(v, at))))(x), 'gather', 2],
    [
      'in a gradient of scatterAdd',
      (x, at) => t.grad((v: t.Tensor) => t.sum(t.exp(t.scatterAdd(v, at, 3))))(x),
      'scatterAdd',
      2,
    ],
    [
      'in a second gradient',
      (x, at) =>
        t.grad((v: t.Tensor) => t.sum(t.square(t.grad((u: t.Tensor) => t.sum(t.exp(t.gather(u, at))))(v))))(
          x,
        ),
      'gather',
      2,
    ],
    [
      'in a scope and a fold',
      (x, at) => t.fold(x, [1, 2], (v) => t.scope(() => t.add(v, t.oneHot(at, 2)))),
      'oneHot',
      1,
    ],
    ['of checkIndices itself', (x, at) => after(t.checkIndices('embed', at, 3), t.neg(x)), 'embed', 2],
  ]
  it.each(rows)('%s', (_, f, operation, last) => {
    const good = labels(0, 1, 1)
    expectRefused(f, good, labels(1, last + 1, 0), notAmong(operation, last + 1, 1, last))
    expectRefused(f, good, labels(-1, 0, 7), notAmong(operation, -1, 0, last))
    expectRefused(f, good, labels(0, 1, 0.5), notAmong(operation, 0.5, 2, last))
    expectRefused(f, good, labels(0, 1, Number.NaN), notAmong(operation, Number.NaN, 2, last))
  })

  it('also where only other results are wanted, and where they come as data', () => {
    const compiled = t.compile((x: t.Tensor, at: t.Tensor) => ({ rows: t.gather(x, at), y: t.neg(x) }))
    compiled.select((path) => path === 'y')
    const left = leftBy(() => {
      t.scope(() => {
        expect(refusal(() => compiled(w(), t.tensor([0, 3])))).toBe(notAmong('gather', 3, 1, 2))
        const data = { shape: [2], values: Float32Array.of(9, 0) }
        expect(refusal(() => compiled(w(), data))).toBe(notAmong('gather', 9, 0, 2))
        expect(compiled(w(), t.tensor([0, 1])).rows).toBe(null)
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it.each([[2], [0]])('are refused though nobody reads the %i draws', (size) => {
    const f = (x: t.Tensor, k: t.Key, p: number): t.Tensor => {
      t.bernoulli(k, [size], p)
      return t.mul(x, 2)
    }
    const compiled = t.compile(f, { donate: [0] })
    t.scope(() => {
      const x = t.tensor([1, 2])
      const expected = refusal(() => f(x, t.key(1), 2))
      expect(expected).toContain('the probability must lie in [0, 1], got 2')
      expect(refusal(() => compiled(x, t.key(1), 2))).toBe(expected)
      expect(x.toArray()).toEqual([1, 2])
      expect(compiled(x, t.key(1), 0.5).toArray()).toEqual([2, 4])
    })
    compiled.dispose()
  })
})
