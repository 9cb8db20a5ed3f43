import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { expectEager, leftBy, nothing } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

type F = (x: t.Tensor) => t.Tensor

/** What makes the derivative of a function of one number: `order` times. A new transform is a row more. */
const derivatives: Readonly<Record<string, { readonly order: number; readonly of: (f: F) => F }>> = {
  grad: { order: 1, of: (f) => t.grad(f) },
  vjp: { order: 1, of: (f) => (x) => t.vjp(f, x, t.tensor(1)).gradients },
  jvp: { order: 1, of: (f) => (x) => t.jvp(f, x, t.tensor(1)).tangent },
  hvp: { order: 2, of: (f) => (x) => t.hvp(f, x, t.tensor(1)).products },
}

/** What leaves a function as it is, and runs it otherwise. */
const wrappers: Readonly<Record<string, (f: F) => F>> = {
  compile: (f) => t.compile(f),
  checkpoint: (f) => t.checkpoint(f),
  scan: (f) => (x) =>
    t.scan(
      (c: t.Tensor, row: t.Tensor) => ({ carry: t.mul(c, f(row)), y: null }),
      t.tensor(1),
      t.reshape(x, [1]),
    ).carry,
  customVjp: (f) => t.customVjp(f, (g, _, x) => t.mul(g, t.vjp(f, x, t.tensor(1)).gradients)),
  scope: (f) => (x) => t.scope(() => f(x)),
}

/** Sequences of transforms that come to the third order. */
function sequences(order: number): readonly (readonly string[])[] {
  if (order === 0) return [[]]
  return Object.entries(derivatives).flatMap(([name, { order: own }]) =>
    own > order ? [] : sequences(order - own).map((rest) => [name, ...rest]),
  )
}

const f: F = (x) => t.mul(t.sin(t.mul(x, 2)), t.exp(x))

// Of Im exp((1 + 2i) x), so that the third derivative is Im (1 + 2i)^3 exp((1 + 2i) x), and (1 + 2i)^3 = -11 - 2i.
const third = (x: number): number => Math.exp(x) * (-11 * Math.sin(2 * x) - 2 * Math.cos(2 * x))

const at = 0.7

const nested = (names: readonly string[], wrapper?: (f: F) => F, place = -1): F => {
  const wrapped = (g: F, i: number): F => (wrapper !== undefined && i === place ? wrapper(g) : g)
  return names.reduce<F>((g, name, i) => wrapped(derivatives[name]!.of(g), i + 1), wrapped(f, 0))
}

describe.each(sequences(3).map((names) => [names.join(' of '), names] as const))('%s', (_, names) => {
  it('is the third derivative, eager and compiled to the same bits, and leaves nothing', () => {
    const g = nested(names)
    const left = leftBy(() => t.scope(() => expect(g(t.tensor(at)).item()).toBeCloseTo(third(at), 3)))
    expect(left).toEqual(nothing)
    expectEager(g, () => [t.tensor(at)])
  })

  it.each(Object.entries(wrappers))('is so with %s at any depth', (name, wrapper) => {
    for (let place = 0; place <= names.length; place++) {
      const g = nested(names, wrapper, place)
      const label = `${name} at depth ${place}`
      t.scope(() => expect(g(t.tensor(at)).item(), label).toBeCloseTo(third(at), 3))
      expectEager(g, () => [t.tensor(at)], {}, label)
    }
  })
})

describe('two transforms around each other', () => {
  const pairs = Object.keys(wrappers).flatMap((outer) =>
    Object.keys(wrappers).map((inner) => [outer, inner] as const),
  )

  it.each(pairs)('%s of %s keep derivatives of three orders', (outer, inner) => {
    const g = wrappers[outer]!(wrappers[inner]!(f))
    for (const names of [
      ['grad', 'grad', 'grad'],
      ['jvp', 'jvp', 'jvp'],
      ['hvp', 'grad'],
    ]) {
      const derived = names.reduce<F>((h, name) => derivatives[name]!.of(h), g)
      t.scope(() => expect(derived(t.tensor(at)).item(), names.join()).toBeCloseTo(third(at), 3))
      expectEager(derived, () => [t.tensor(at)], {}, names.join())
    }
  })
})
