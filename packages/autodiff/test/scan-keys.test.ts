import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { referenceValues, withoutKernel } from '../src/testing.ts'
import { bits, expectClose, leftBy, nothing, recorded, type Ways, writtenOut } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

interface Given {
  readonly w: t.Tensor
  readonly c0: t.Tensor
  readonly xs: t.Tensor
  readonly key: t.Key
}

/** A function that draws in the body of a scan. */
type Drawing = (ways: Ways, given: Given) => t.Tree

interface Row {
  readonly x: t.Tensor
  readonly key: t.Key
}

const noisy = (w: t.Tensor, c: t.Tensor, x: t.Tensor, key: t.Key): t.Tensor =>
  t.tanh(t.add(t.mul(c, w), t.mul(x, t.normal(key, [3]))))

const drawings: Readonly<Record<string, Drawing>> = {
  'a key in xs': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const next = noisy(w, c, row.x, row.key)
        return { carry: next, y: t.mul(next, t.uniform(t.foldIn(row.key, 'y'), [3])) }
      },
      c0,
      { x: xs, key },
    ),
  'a key in xs, in reverse': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => ({ carry: noisy(w, c, row.x, row.key), y: t.normal(row.key, [2]) }),
      c0,
      { x: xs, key },
      { reverse: true },
    ),
  'several keys in xs, split': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, { x, keys: [a, b] }: { x: t.Tensor; keys: readonly t.Key[] }) => {
        const [one, other] = t.split(a!)
        return { carry: noisy(w, noisy(w, c, x, one!), x, other!), y: t.bernoulli(b!, [4], 0.4) }
      },
      c0,
      { x: xs, keys: [key, t.foldIn(key, 'b')] },
    ),
  'a captured key: the same noise at every step': ({ scan }, { w, c0, xs, key }) =>
    scan((c: t.Tensor, x: t.Tensor) => ({ carry: noisy(w, c, x, t.foldIn(key, 7)), y: null }), c0, xs),
  'keys alone': ({ scan }, { key }) =>
    scan((_: null, k: t.Key) => ({ carry: null, y: t.normal(k, [2]) }), null, key, { length: 4 }),
  'constants and a key': ({ scan }, { key }) =>
    scan((c: t.Tensor, k: t.Key) => ({ carry: t.add(c, t.normal(k, [2])), y: c }), t.tensor([1, 2]), key, {
      length: 4,
    }),
  'a key that the scan inside goes over': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const inner = scan(
          (a: t.Tensor, k: t.Key) => ({ carry: noisy(w, a, row.x, k), y: t.uniform(k, [1]) }),
          c,
          row.key,
          { length: 3 },
        )
        return { carry: inner.carry, y: inner.ys }
      },
      c0,
      { x: xs, key },
    ),
  'a key around that the scan inside goes over': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, x: t.Tensor) => {
        const inner = scan(
          (a: t.Tensor, k: t.Key) => ({ carry: noisy(w, a, x, k), y: a }),
          c,
          t.foldIn(key, 'inner'),
          { length: 3 },
        )
        return { carry: inner.carry, y: inner.ys }
      },
      c0,
      xs,
    ),
  'keys of every level': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const inner = scan(
          (a: t.Tensor, keys: readonly t.Key[]) => {
            const deepest = scan(
              (b: t.Tensor, [k, l, m]: readonly t.Key[]) => ({
                carry: noisy(w, noisy(w, noisy(w, b, row.x, k!), row.x, l!), row.x, m!),
                y: t.normal(row.key, [1]),
              }),
              a,
              [key, t.foldIn(row.key, 1), ...keys.slice(0, 1)],
              { length: 2 },
            )
            return { carry: deepest.carry, y: deepest.ys }
          },
          c,
          [row.key],
          { length: 2 },
        )
        return { carry: inner.carry, y: inner.ys }
      },
      c0,
      { x: xs, key },
    ),
  'a scan inside of nothing but keys': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const { ys } = scan((_: null, k: t.Key) => ({ carry: null, y: t.normal(k, [3]) }), null, row.key, {
          length: 2,
        })
        return { carry: t.tanh(t.add(t.mul(c, w), t.mul(row.x, t.sum(ys, { axis: 0 })))), y: null }
      },
      c0,
      { x: xs, key },
    ),
  'constants and keys of two levels': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const { carry } = scan(
          (a: t.Tensor, [k, l]: readonly t.Key[]) => ({
            carry: t.add(a, t.mul(t.normal(k!, [3]), t.uniform(l!, [3]))),
            y: null,
          }),
          t.tensor([1, 2, 3]),
          [key, row.key],
          { length: 2 },
        )
        return { carry: t.tanh(t.add(t.mul(c, w), t.mul(row.x, carry))), y: null }
      },
      c0,
      { x: xs, key },
    ),
  'a gradient in the body by a constant, of a scan over noise': ({ scan }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const step = (a: t.Tensor, z: t.Tensor): { carry: t.Tensor; y: null } => ({
          carry: t.tanh(t.mul(t.add(a, z), a)),
          y: null,
        })
        const f = (a: t.Tensor): t.Tensor => t.sum(scan(step, a, t.normal(row.key, [3, 3])).carry)
        const gradient = t.grad(f)(t.tensor([0.5, -0.4, 0.8]))
        return { carry: t.tanh(t.add(t.mul(c, w), t.mul(row.x, gradient))), y: gradient }
      },
      c0,
      { x: xs, key },
    ),
  'a key passed to checkpoint, and one around it': ({ scan, checkpoint }, { w, c0, xs, key }) =>
    checkpoint((v: t.Tensor, rows: t.Tensor, k: t.Key) => {
      const body = (c: t.Tensor, row: Row): { carry: t.Tensor; y: t.Tensor } => {
        const y = noisy(v, c, row.x, row.key)
        return { carry: y, y: t.mul(y, t.normal(t.foldIn(key, 'around'), [3])) }
      }
      return scan(body, c0, { x: rows, key: k }).ys
    })(t.mul(w, 2), xs, t.foldIn(key, 'passed')),
  'a checkpoint in the body': ({ scan, checkpoint }, { w, c0, xs, key }) =>
    scan(
      (c: t.Tensor, row: Row) => {
        const next = checkpoint((a: t.Tensor, k: t.Key) => noisy(w, a, row.x, k))(c, row.key)
        return { carry: next, y: next }
      },
      c0,
      { x: xs, key },
    ),
}

const given = (n: number): Given => ({
  w: t.normal(t.key(n), [3]),
  c0: t.normal(t.key(n + 50), [3]),
  xs: t.normal(t.key(n + 100), [5, 3]),
  key: t.key(n + 200),
})

const total = (tree: t.Tree): t.Tensor =>
  t.leaves(tree).reduce((sum, x, i) => t.add(sum, t.sum(t.mul(x, i + 0.5))), t.tensor(0))

const isZeroSign = (path: string): boolean => path.includes('xs')

describe.each(Object.entries(drawings))('%s', (_, f) => {
  const gradients = (ways: Ways, { key, ...p }: Given): t.Tree =>
    t.grad((q: typeof p) => total(f(ways, { ...q, key })))(p)

  it('gives the numbers of the loop, eager and compiled for any key', () => {
    const left = leftBy(() => {
      let recordings = 0
      const compiled = t.compile((on: Given) => {
        recordings++
        return f(recorded, on)
      })
      for (const n of [1, 2, 3]) {
        t.scope(() => {
          const expected = bits(f(writtenOut, given(n)))
          expect(bits(f(recorded, given(n)))).toEqual(expected)
          expect(bits(compiled(given(n)))).toEqual(expected)
        })
      }
      expect(recordings).toBe(1)
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('has the gradients of the loop: the same numbers are drawn on the way back', () => {
    const left = leftBy(() => {
      const compiled = t.compile((on: Given) => gradients(recorded, on))
      const inside = t.compile((on: Given) => total(f(recorded, on)))
      for (const n of [1, 2]) {
        t.scope(() => {
          const expected = bits(gradients(writtenOut, given(n)), isZeroSign)
          expect(bits(gradients(recorded, given(n)), isZeroSign)).toEqual(expected)
          expect(bits(compiled(given(n)), isZeroSign)).toEqual(expected)
          const { key, ...p } = given(n)
          const through = t.grad((q: typeof p) => inside({ ...q, key }))(p)
          expect(bits(through, isZeroSign)).toEqual(expected)
        })
      }
      compiled.dispose()
      inside.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('has the gradients of the loop by constants, where only the key is an argument', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const { key, ...p } = given(4)
        const compiled = t.compile((k: t.Key) => gradients(recorded, { ...p, key: k }))
        expect(bits(compiled(key), isZeroSign)).toEqual(
          bits(gradients(writtenOut, { ...p, key }), isZeroSign),
        )
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('has the second derivatives of the loop within rounding', () => {
    t.scope(() => {
      const twice = (ways: Ways, { key, ...p }: Given): t.Tree =>
        t.grad((q: typeof p) => total(gradients(ways, { ...q, key })))(p)
      const expected = twice(writtenOut, given(5))
      expectClose(twice(recorded, given(5)), expected)
      const compiled = t.compile((on: Given) => twice(recorded, on))
      expectClose(compiled(given(5)), expected)
      compiled.dispose()
    })
  })

  it('is drawn alike by the references', () => {
    t.scope(() => {
      const { key, ...p } = given(6)
      const run = (ways: Ways) => (q: typeof p) => f(ways, { ...q, key })
      const back = (ways: Ways) => (q: typeof p) => gradients(ways, { ...q, key })
      for (const of of [run, back]) {
        const expected = referenceValues(of(writtenOut), p)
        const found = referenceValues(of(recorded), p)
        for (const [i, { shape, values }] of expected.entries()) {
          expect(found[i]!.shape).toEqual(shape)
          for (const [j, x] of Array.from(values).entries()) expect(found[i]!.values[j]).toBeCloseTo(x, 5)
        }
      }
      expectClose(
        withoutKernel('scan', () => run(recorded)(p)),
        run(writtenOut)(p),
        1e-5,
      )
    })
  })
})

it('is drawn again in the gradient of a gradient in the body', () => {
  const f = ({ scan }: Ways, { w, c0, xs, key }: Given): t.Tensor => {
    const body = (c: t.Tensor, row: Row): { carry: t.Tensor; y: null } => {
      const step = (b: t.Tensor, k: t.Key): { carry: t.Tensor; y: null } => ({
        carry: noisy(w, b, row.x, k),
        y: null,
      })
      const inner = (a: t.Tensor): t.Tensor => t.sum(scan(step, a, row.key, { length: 2 }).carry)
      return { carry: t.add(t.mul(c, 0.5), t.grad(inner)(c)), y: null }
    }
    return scan(body, c0, { x: xs, key }).carry
  }
  const gradients = (ways: Ways, { key, ...p }: Given): t.Tree =>
    t.grad((q: typeof p) => t.sum(f(ways, { ...q, key })))(p)
  const left = leftBy(() =>
    t.scope(() => {
      const expected = gradients(writtenOut, given(7))
      expect(bits(f(recorded, given(7)))).toEqual(bits(f(writtenOut, given(7))))
      expectClose(gradients(recorded, given(7)), expected, 1e-5)
      const compiled = t.compile((on: Given) => gradients(recorded, on))
      expectClose(compiled(given(7)), expected, 1e-5)
      compiled.dispose()
    }),
  )
  expect(left).toEqual(nothing)
})

it('gives row i the key foldIn(key, i), whatever the order', () => {
  t.scope(() => {
    const key = t.key(3)
    const draw = (reverse: boolean): t.NestedNumbers =>
      t
        .scan((_: null, k: t.Key) => ({ carry: null, y: t.normal(k, []) }), null, key, {
          length: 4,
          reverse,
        })
        .ys.toArray()
    const rows = [0, 1, 2, 3].map((i) => t.normal(t.foldIn(key, i), []).item())
    expect(draw(false)).toEqual(rows)
    expect(draw(true)).toEqual(rows)
  })
})
