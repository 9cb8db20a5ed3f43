import * as t from '@tapeflow/autodiff'
import { operations } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  broadcastableShapes,
  drawFrom,
  draws,
  keys,
  type ProgramInput,
  programs,
  samples,
  shapes,
  tensors,
  trees,
} from '../src/index.ts'

const many = <T>(arbitrary: fc.Arbitrary<T>): T[] => fc.sample(arbitrary, { numRuns: 300, seed: 1 })

/** The sample that fails `isFine`, after shrinking. */
const shrunk = <T>(arbitrary: fc.Arbitrary<T>, isFine: (value: T) => boolean): T => {
  const found = fc.check(fc.property(arbitrary, isFine), { seed: 1 })
  expect(found.failed).toBe(true)
  return found.counterexample![0]
}

describe('tensors', () => {
  it('have as many numbers as their shape, inside of the domain', () => {
    for (const { shape, values } of many(tensors({ domain: { low: 0.05, high: 9 } }))) {
      expect(values).toHaveLength(t.sizeOf(shape))
      expect(values.every((x) => x >= Math.fround(0.05) && x <= 9)).toBe(true)
    }
  })

  it('are integers where the domain says so, both ends included', () => {
    const found = new Set(
      many(tensors({ shape: [4], domain: { low: 0, high: 3, integer: true } })).flatMap((x) => [...x.values]),
    )
    expect(found).toEqual(new Set([0, 1, 2, 3]))
  })

  it('stay away from kinks, also from one at an end', () => {
    for (const kinks of [[0], [-3, 3]]) {
      for (const { values } of many(tensors({ domain: { low: -3, high: 3, kinks } }))) {
        for (const x of values) {
          for (const kink of kinks) expect(Math.abs(x - kink)).toBeGreaterThanOrEqual(6 / 32 - 1e-6)
          expect(Math.abs(x)).toBeLessThanOrEqual(3)
        }
      }
    }
  })

  it('hold no number twice where they must be distinct', () => {
    for (const { values } of many(tensors({ shape: [50], domain: { low: -3, high: 3, distinct: true } }))) {
      expect(new Set(values).size).toBe(50)
    }
  })

  it('shrink to zeros but for what makes the test fail', () => {
    const { values } = shrunk(tensors({ shape: [5] }), (x) => !x.values.some((value) => value > 1))
    expect(values.filter((x) => x === 0)).toHaveLength(4)
    expect(values.find((x) => x > 1)).toBeCloseTo(1, 5)
  })

  it('hold small numbers and whole ones, now and then', () => {
    const sizes = many(tensors({ shape: [9] })).flatMap(({ values }) => Array.from(values, Math.abs))
    expect(sizes.filter((x) => x > 0 && x < 1e-3).length).toBeGreaterThan(10)
    expect(sizes.filter((x) => x > 0 && Number.isInteger(x)).length).toBeGreaterThan(10)
  })

  it('refuse an empty domain and integers that are distinct, in exact words', () => {
    expect(() => tensors({ domain: { low: 1, high: 1 } })).toThrow(
      'tensors: low must be below high, got 1 and 1',
    )
    expect(() => tensors({ domain: { low: 0, high: 9, integer: true, distinct: true } })).toThrow(
      'tensors: integers cannot be spread apart, got integer and distinct; leave one out',
    )
  })
})

describe('shapes', () => {
  it('have every rank asked for, empty axes, and at most a few hundred elements', () => {
    const found = many(shapes({ low: 1, high: 3 }))
    expect(new Set(found.map((shape) => shape.length))).toEqual(new Set([1, 2, 3]))
    expect(found.some((shape) => shape.includes(0))).toBe(true)
    expect(Math.max(...found.map(t.sizeOf))).toBeLessThanOrEqual(300)
    for (const tail of [1, 2, 3, 5, 17, 33]) expect(found.some((shape) => shape.includes(tail))).toBe(true)
  })

  it('shrink to the lowest rank and to sizes of 1', () => {
    expect(shrunk(shapes(), (shape) => shape.length < 2)).toEqual([1, 1])
  })

  it('that broadcast are accepted by every elementwise operation, and stretch on either side', () => {
    const found = many(broadcastableShapes())
    for (const [a, b] of found) t.scope(() => t.add(t.ones(a!), t.ones(b!)))
    expect(found.some(([a, b]) => a!.length < b!.length)).toBe(true)
    expect(found.some(([a, b]) => t.sizeOf(a!) > t.sizeOf(b!))).toBe(true)
  })
})

describe('draws', () => {
  it('are in range, and reach both ends', () => {
    const found = new Set(many(draws((draw) => draw.integer(2, 5))))
    expect(found).toEqual(new Set([2, 3, 4, 5]))
  })

  it('of one list are the same twice, and smallest where it ends', () => {
    const list = [5, 3, 8, 1, 9]
    const all = (): unknown => {
      const draw = drawFrom(list)
      return [draw.shape(0, 3), draw.integer(0, 9), draw.pick(['a', 'b']), draw.integer(4, 9)]
    }
    expect(all()).toEqual(all())
    expect(drawFrom([]).shape(1, 4)).toEqual([1])
  })
})

describe('keys and trees', () => {
  it('are keys of many seeds', () => {
    expect(new Set(many(keys()).map((k) => `${k.high} ${k.low}`)).size).toBeGreaterThan(200)
  })

  it('are nested objects and arrays that become trees of tensors', () => {
    const found = many(trees())
    t.scope(() => {
      for (const tree of found) t.leaves(t.fromSnapshot<unknown>(tree))
    })
    const text = found.map((tree) => JSON.stringify(tree))
    expect(text.some((json) => json.includes('[{"'))).toBe(true)
    expect(text.some((json) => json.includes('"layers":{'))).toBe(true)
    expect(shrunk(trees(), (tree) => !JSON.stringify(tree).includes('"values"'))).toHaveProperty('values')
  })
})

describe('samples', () => {
  it('of every operation are calls that it accepts, and shrink within a second', () => {
    for (const info of operations) {
      const { inputs } = shrunk(samples(info), ({ call, inputs: plain }) => {
        t.scope(() => call(...t.fromSnapshot(plain)))
        return false
      })
      expect(Math.max(0, ...inputs.map(({ values }) => values.length))).toBeLessThanOrEqual(6)
    }
  }, 40_000)

  it('that must be distinct are so between inputs too', () => {
    const maximum = operations.find(({ operation }) => operation.name === 'maximum')!
    for (const { inputs } of many(samples(maximum))) {
      const values = inputs.flatMap((x) => [...x.values])
      expect(new Set(values).size).toBe(values.length)
    }
  })
})

describe('programs', () => {
  const isTensor = (input: ProgramInput): input is t.Snapshot =>
    typeof input === 'object' && 'values' in input

  it('have up to 30 lines and 4 inputs, the first a tensor, and other values of the same kinds and shapes', () => {
    const found = many(programs())
    expect(new Set(found.map(({ lines }) => lines.length)).size).toBeGreaterThan(20)
    expect(Math.max(...found.map(({ lines }) => lines.length))).toBeLessThanOrEqual(30)
    expect(new Set(found.map(({ inputs }) => inputs.length))).toEqual(new Set([1, 2, 3, 4]))
    for (const { inputs, others } of found) {
      expect(isTensor(inputs[0]!)).toBe(true)
      const kinds = [inputs, others].map((all) =>
        all.map((input) => (isTensor(input) ? t.showShape(input.shape) : input.constructor.name)),
      )
      expect(kinds[1]).toEqual(kinds[0])
    }
  })

  it('are shown as code, which is what a failure reports', () => {
    const { counterexample } = fc.check(
      fc.property(programs(), () => false),
      { seed: 1 },
    )
    // Which call is the simplest is a matter of which operations there are.
    const shown = fc.stringify(counterexample![0]).replace(/(v1 = t\.)\w+\(.*/, '$1…')
    expect(shown).toBe(`import * as t from '@tapeflow/autodiff'

const program = (v0: t.Tensor) => {
  const v1 = t.…
  return [v1]
}
const outputs = program(t.tensor(-3))
const others = program(t.tensor(-2))
`)
  })
})
