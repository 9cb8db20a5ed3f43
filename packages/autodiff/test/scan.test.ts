import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import {
  type BodySpec,
  bodySpecs,
  type Given,
  isOneForOne,
  originsOf,
  type Result,
  run,
} from './scan-bodies.ts'
import { bits, expectClose, leftBy, nothing, recorded, writtenOut } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const long = import.meta.env['LONG'] === '1'
const seed = long ? Date.now() % 2 ** 31 : 20261122

function assertProperty<T>(property: fc.IProperty<T>, numRuns: number): void {
  fc.assert(property, { seed, numRuns: long ? 20 * numRuns : numRuns })
}

/** Numbers for a body; the same for the same `n`. */
function given(spec: BodySpec, n: number): Given {
  const drawn = (name: string, shapes: readonly t.Shape[]): readonly t.Tensor[] =>
    shapes.map((shape, i) => t.normal(t.foldIn(t.foldIn(t.key(n), name), i), shape))
  return {
    carry: drawn('carry', spec.carry),
    xs: drawn(
      'xs',
      spec.xs.map((shape) => [spec.length, ...shape]),
    ),
    captured: drawn('captured', spec.captured),
    key: t.foldIn(t.key(n), 'rows'),
  }
}

/** By which inputs gradients are taken, and of which results. `after` uses all inputs once more, when the scan is done. */
interface Part {
  readonly by: readonly ('carry' | 'xs' | 'captured')[]
  readonly of: readonly ('carry' | 'ys' | 'after')[]
}

const parts: fc.Arbitrary<Part> = fc.record({
  by: fc.subarray(['carry', 'xs', 'captured'] as const, { minLength: 1 }),
  of: fc.subarray(['carry', 'ys', 'after'] as const, { minLength: 1 }),
})

type Forward = (on: Given) => Result

function pulled(forward: Forward, on: Given, { by, of }: Part): t.Tree {
  const f = (inputs: Partial<Given>): t.Tree => {
    const all = { ...on, ...inputs }
    const { carry, ys } = forward(all)
    const after = t.leaves([all.carry, all.xs, all.captured]).map((x) => t.mul(x, 0.3))
    const results = { carry, ys, after }
    return Object.fromEntries(of.map((name) => [name, results[name]]))
  }
  const inputs: Partial<Given> = Object.fromEntries(by.map((name) => [name, on[name]]))
  const cotangents = t.scope((): t.Tree => {
    let next = 0
    const drawn = t.mapTree(f(inputs), (leaf) =>
      t.isTensor(leaf) ? t.normal(t.foldIn(t.key(7), next++), leaf.shape) : leaf,
    )
    return drawn as t.Tree
  })
  const { value, gradients } = t.vjp(f, inputs, cotangents)
  return { value, gradients: gradients as t.Tree }
}

describe('a random body', () => {
  it('gives the numbers of the loop to the bit, eager and compiled', () => {
    const property = fc.property(bodySpecs, fc.nat(), (spec, n) => {
      const left = leftBy(() =>
        t.scope(() => {
          const on = given(spec, n)
          const expected = bits(run(spec, writtenOut, on))
          expect(bits(run(spec, recorded, on))).toEqual(expected)
          const compiled = t.compile((g: Given) => run(spec, recorded, g))
          for (let i = 0; i < 2; i++) expect(bits(compiled(on))).toEqual(expected)
          compiled.dispose()
        }),
      )
      expect(left).toEqual(nothing)
    })
    assertProperty(property, 250)
  })

  it('has the gradients of the loop to the bit, eager, compiled, and through what is compiled', () => {
    let exact = 0
    let all = 0
    const property = fc.property(bodySpecs, fc.nat(), parts, (spec, n, part) => {
      const isExact = isOneForOne(originsOf(spec, writtenOut))
      all++
      if (isExact) exact++
      const zerosAreOne = (path: string): boolean => path.startsWith('gradients.xs')
      const check = (found: t.Tree, expected: t.Tree): void => {
        if (isExact) expect(bits(found, zerosAreOne)).toEqual(bits(expected, zerosAreOne))
        else expectClose(found, expected)
      }
      const left = leftBy(() =>
        t.scope(() => {
          const on = given(spec, n)
          const scanned: Forward = (g) => run(spec, recorded, g)
          const inside = t.compile(scanned)
          const around = t.compile((g: Given) => pulled(scanned, g, part))
          const expected = pulled((g) => run(spec, writtenOut, g), on, part)
          check(pulled(scanned, on, part), expected)
          check(pulled(inside, on, part), expected)
          for (let i = 0; i < 2; i++) check(around(on), expected)
          inside.dispose()
          around.dispose()
        }),
      )
      expect(left).toEqual(nothing)
    })
    assertProperty(property, 250)
    // Most of them, or little is shown.
    expect(exact / all).toBeGreaterThan(0.6)
  })

  it('has the second derivatives of the loop within rounding', () => {
    const total = (tree: t.Tree): t.Tensor =>
      t.leaves(tree).reduce((sum, x) => t.add(sum, t.sum(t.tanh(x))), t.tensor(0))
    type Inputs = Omit<Given, 'key'>
    const twice = (forward: Forward, { key, ...inputs }: Given): t.Tree => {
      const once = (p: Inputs): t.Tree =>
        t.grad((q: Inputs) => total({ ...forward({ ...q, key }) }))(p) as t.Tree
      return t.grad((p: Inputs) => total(once(p)))(inputs) as t.Tree
    }
    const property = fc.property(bodySpecs, fc.nat(), (spec, n) => {
      const small = { ...spec, length: Math.min(spec.length, 4) }
      const left = leftBy(() =>
        t.scope(() => {
          const on = given(small, n)
          const expected = twice((g) => run(small, writtenOut, g), on)
          const scanned: Forward = (g) => run(small, recorded, g)
          expectClose(twice(scanned, on), expected, 1e-3)
          const compiled = t.compile((g: Given) => twice(scanned, g))
          expectClose(compiled(on), expected, 1e-3)
          compiled.dispose()
        }),
      )
      expect(left).toEqual(nothing)
    })
    assertProperty(property, 120)
  })
})
