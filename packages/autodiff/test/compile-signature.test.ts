import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { visitTensors } from '../src/tree.ts'
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

/** What the calls give, each in a scope of its own, and how often the body ran for them. */
function runsFor(f: Program, calls: readonly (() => readonly unknown[])[]): number {
  const { f: counting, runs } = counted(f as (...args: unknown[]) => unknown)
  const compiled = untyped(counting)
  for (const args of calls) {
    const expected = eagerly(f, args)
    t.scope(() => {
      expect(bitsOf(compiled(...args()))).toEqual(expected)
    })
  }
  compiled.dispose()
  return runs()
}

function sumOf(anything: unknown): t.Tensor {
  const found: t.Tensor[] = []
  visitTensors(anything, (x) => t.isTensor(x) && found.push(x))
  return found.reduce((sum, x) => t.add(sum, t.sum(x)), t.zeros([]))
}
const ones = (...shape: number[]) => t.ones(shape)
const data = (...shape: number[]) => ({ shape, values: new Float32Array(t.sizeOf(shape)).fill(0.5) })

describe('a program is kept for', () => {
  const step = (x: t.Tensor, rate: number, key: t.Key): unknown => ({
    y: t.mul(t.add(x, t.uniform(t.foldIn(key, 1), x.shape)), rate),
    rate,
    key,
    child: t.split(key, 2)[1],
  })
  const numbers = [0, -0, 1, 0.1, 1e-46, 3.5e38, -1e300, 2 ** 24 + 1, Number.NaN, Number.POSITIVE_INFINITY]

  it.each([
    ['every number and key', step, numbers.map((n, i) => () => [ones(3), n, t.key(i)])],
    ['every content of a tensor', step, [1, 2, 3].map((n) => () => [t.full([3], n), 1, t.key(0)])],
    [
      'numbers in any place of a tree',
      (tree: { a: readonly number[]; b: { c: number } }, x: t.Tensor) =>
        t.mul(t.add(x, tree.a[0]!), t.add(tree.a[1]!, tree.b.c)),
      [1, 2, 3].map((n) => () => [{ a: [n, 2 * n], b: { c: n / 7 } }, ones(2)]),
    ],
    [
      'every content of data',
      (batch: { x: t.Tensor; y: t.Tensor }) => t.sub(batch.x, batch.y),
      [1, 2, 3].map((n) => () => [{ x: t.full([5], n), y: t.full([5], n * n) }]),
    ],
    [
      'a tensor and an alias of it',
      (x: t.Tensor) => t.exp(x),
      [() => [ones(3)], () => [t.slice(ones(7), 2, 5)]],
    ],
  ] as const)('%s: recorded once', (_, f, calls) => {
    expect(runsFor(f as Program, calls)).toBe(1)
  })

  const shaped = (...args: unknown[]): unknown => ({ sum: sumOf(args) })
  const variants: readonly (readonly [string, readonly (() => readonly unknown[])[]])[] = [
    ['shapes', [() => [ones(3)], () => [ones(1, 3)], () => [ones(3, 1)], () => [ones()], () => [ones(0)]]],
    ['empty shapes', [() => [ones(0, 3)], () => [ones(3, 0)], () => [ones(0)], () => [ones(0, 0)]]],
    [
      'kinds of scalars',
      [() => [1], () => [ones()], () => [t.key(1)], () => ['1'], () => [true], () => [null]],
    ],
    ['booleans and strings', [() => [true], () => [false], () => ['true'], () => ['false'], () => ['']]],
    ['nothing', [() => [null], () => [undefined], () => [], () => [[]], () => [{}], () => [[null]]]],
    [
      'structure',
      [() => [[ones(2)]], () => [{ 0: ones(2) }], () => [[ones(2), null]], () => [ones(2), null]],
    ],
    ['key order', [() => [{ a: ones(2), b: ones(3) }], () => [{ b: ones(3), a: ones(2) }]]],
    [
      'key names',
      [() => [{ a: ones(2) }], () => [{ b: ones(2) }], () => [{ a: ones(2), b: null }], () => [{}]],
    ],
    ['nesting', [() => [[[ones(2)], ones(2)]], () => [[ones(2), [ones(2)]]], () => [[ones(2), ones(2)]]]],
    ['where a static value stands', [() => [ones(2), true, false], () => [ones(2), false, true]]],
  ]
  it.each(variants)('each of several %s', (_, calls) => {
    expect(runsFor(shaped, calls)).toBe(calls.length)
    // Once more each, in both orders: nothing is recorded again.
    expect(runsFor(shaped, [...calls, ...calls, ...calls.toReversed()])).toBe(calls.length)
  })

  it('a ragged batch, at the price of one recording', () => {
    const { f, runs } = counted((w: t.Tensor, x: t.Tensor) => t.sum(t.matmul(x, w)))
    const compiled = t.compile(f)
    for (let epoch = 0; epoch < 5; epoch++) {
      for (const rows of [64, 64, 64, 17]) t.scope(() => compiled(t.ones([3, 2]), t.ones([rows, 3])).item())
    }
    expect(runs()).toBe(2)
    compiled.dispose()
  })

  it('data as for a tensor in its place, each recorded for itself', () => {
    const f = (batch: { x: t.Tensor; y: t.Tensor }): unknown => ({ sum: t.add(batch.x, batch.y), x: batch.x })
    const { f: counting, runs } = counted(f)
    const compiled = t.compile(counting)
    const expected = eagerly(f, () => [{ x: t.full([3], 0.5), y: t.full([3], 0.5) }])
    for (const batch of [
      { x: data(3), y: data(3) },
      { x: data(3), y: t.full([3], 0.5) },
      { x: t.full([3], 0.5), y: data(3) },
      { x: t.full([3], 0.5), y: t.full([3], 0.5) },
    ]) {
      for (let call = 0; call < 2; call++) expect(bitsOf(compiled(batch))).toEqual(expected)
    }
    expect(runs()).toBe(4)
    compiled.dispose()
  })
})

describe('the number of programs is bounded', () => {
  it('those used last are kept, the others are given back with their constants', () => {
    const before = t.memory().bytes
    const left = leftBy(() => {
      const { f, runs } = counted((x: t.Tensor) => t.add(t.sum(x), t.full([100], x.size)))
      const compiled = t.compile(f)
      const call = (size: number) =>
        t.scope(() => expect(compiled(t.ones([size])).toArray()).toContain(2 * size))
      for (let size = 0; size < 300; size++) {
        call(size)
        call(0)
      }
      expect(runs()).toBe(300)
      // Constants of 100 numbers take 448 bytes.
      expect(t.memory().bytes - before).toBeLessThanOrEqual(256 * 448)
      for (let size = 299; size > 44; size--) call(size)
      call(0)
      expect(runs()).toBe(300)
      call(44)
      expect(runs()).toBe(301)
      compiled.dispose()
      call(0)
      expect(runs()).toBe(302)
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })
})

describe('trees with unusual places', () => {
  const tree = (a: t.Tensor, b: t.Tensor): Record<string, t.Tensor> => {
    const made: Record<string, t.Tensor> = { a }
    return Object.defineProperty(made, '__proto__', {
      value: b,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }

  it('a key named __proto__ is a key', () => {
    const f = (p: Record<string, t.Tensor>) => t.mapTensors(p, (x) => t.mul(x, 3))
    expectEager(f, () => [tree(ones(2), ones(3))])
    expectEager(f, () => [tree(ones(2), ones(3))], { donate: [0], reuse: true })
    const compiled = t.compile(f)
    t.scope(() => {
      const result = compiled(tree(t.tensor([1]), t.tensor([2])))
      expect(Object.keys(result)).toEqual(['__proto__', 'a'])
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    })
    compiled.dispose()
  })

  it('a hole is undefined, and objects without a prototype are plain', () => {
    const sparse = (): unknown[] => {
      const made: unknown[] = new Array(3)
      made[1] = ones(2)
      return [made, Object.assign(Object.create(null), { w: ones(3) })]
    }
    const f = (list: readonly (t.Tensor | undefined)[], { w }: { w: t.Tensor }) => [
      t.sum(list[1]!),
      list[0] === undefined,
      list.length,
      w,
    ]
    expectEager(f, sparse)
  })
})

describe('refused before anything is taken', () => {
  const circle: Record<string, unknown> = {}
  circle.self = [circle]
  class Layer {
    readonly weight = 1
    readonly self = this
  }
  const place = 'must be a tensor, key, number, boolean, string or a plain tree of them, got'
  const values: readonly (readonly [unknown, string])[] = [
    [new Map(), 'a Map'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
    [1n, 'a bigint'],
    [new Float32Array(2), 'a Float32Array'],
    [new Layer(), 'a Layer'],
    [Promise.resolve(1), 'a Promise'],
  ]
  const x = t.tensor([1, 2, 3])

  it.each(values)('a value of another kind: %#', (value, kind) => {
    const compiled = untyped(() => t.ones([3]))
    const left = leftBy(() => {
      expect(() => compiled(value)).toThrow(`compile: argument 0 ${place} ${kind}; use it from a closure`)
      expect(() => compiled(x, { a: [1, value] })).toThrow(
        `compile: argument 1 at 'a.1' ${place} ${kind}; use it from a closure`,
      )
      expect(() => compiled.plan({ a: value })).toThrow(`compile: argument 0 at 'a' ${place} ${kind}`)
    })
    expect(left).toEqual(nothing)
  })

  it('a tree that contains itself, as an argument and as a result', () => {
    const words = 'is nested more than 512 deep; does it contain itself?'
    const compiled = untyped((p) => p)
    const left = leftBy(() => {
      expect(refusal(() => compiled(circle))).toBe(`RangeError: compile: an argument ${words}`)
      expect(refusal(() => untyped(() => ({ x, circle }))(1))).toBe(
        `RangeError: compile: what the function returns ${words}`,
      )
    })
    expect(left).toEqual(nothing)
    // Deep is no circle.
    let deep: unknown = t.tensor([7])
    for (let i = 0; i < 500; i++) deep = [deep]
    const result = compiled(deep)
    expect(t.leaves(result)[0]!.toArray()).toEqual([7])
    for (const leaf of t.leaves([deep, result])) leaf.dispose()
    compiled.dispose()
  })

  it.each([
    [
      { shape: [4], values: new Float32Array(3) },
      'shape [4] holds 4 values, got 3; change the shape or the data',
    ],
    [{ shape: [-1, -3], values: new Float32Array(3) }, 'sizes must be integers from 0 on, got [-1,-3]'],
    [{ shape: [1.5, 2], values: new Float32Array(3) }, 'sizes must be integers from 0 on, got [1.5,2]'],
    [{ shape: ['3'], values: new Float32Array(3) }, 'sizes must be integers from 0 on, got [a string]'],
  ])('data of a wrong shape: %#', (wrong, words) => {
    const compiled = untyped((y: t.Tensor) => t.add(y, 1))
    const left = leftBy(() => expect(refusal(() => compiled(wrong))).toBe(`RangeError: compile: ${words}`))
    expect(left).toEqual(nothing)
    compiled.dispose()
  })

  it('data that has lost its numbers since the program was recorded', () => {
    const compiled = untyped((y: t.Tensor) => t.add(y, 1))
    t.scope(() => expect(bitsOf(compiled({ shape: [3], values: new Float32Array(3) }))).toBeDefined())
    expect(() => compiled({ shape: [3], values: new Float32Array(0) })).toThrow(
      'compile: shape [3] holds 3 values, got 0; change the shape or the data',
    )
    compiled.dispose()
  })

  it('options that are none, and arguments that are missing where they are to be donated', () => {
    const identity = (y: t.Tensor): t.Tensor => y
    const options =
      (given: unknown): (() => unknown) =>
      () =>
        t.compile(identity, given as t.CompileOptions)
    expect(refusal(options({ donat: [0] }))).toBe(
      "RangeError: compile: unknown option 'donat'; use donate, reuse, fuse, numerics",
    )
    expect(refusal(options({ donate: 0 }))).toBe(
      'TypeError: compile: donate must be an array of positions, got a number; pass donate: [0]',
    )
    for (const bad of [-1, 0.5, Number.NaN, '0', undefined]) {
      expect(refusal(options({ donate: [bad] }))).toBe(
        `RangeError: compile: donate must hold positions from 0 on, got ${bad}; pass donate: [0]`,
      )
    }
    expect(refusal(options({ reuse: 1 }))).toBe(
      'TypeError: compile: reuse must be true or false, got a number; leave it out for false',
    )
    expect(refusal(() => t.compile(3 as unknown as () => void))).toBe(
      'TypeError: compile: a function is needed, got a number; pass x => … instead of its result',
    )
    const compiled = untyped(identity, { donate: [0, 2] })
    const left = leftBy(() =>
      expect(refusal(() => compiled(x, x))).toBe(
        'RangeError: compile: argument 2 is to be donated, got 2 arguments',
      ),
    )
    expect(left).toEqual(nothing)
    expect(x.toArray()).toEqual([1, 2, 3])
  })
})
