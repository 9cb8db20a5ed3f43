import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { visitTensors } from '../src/tree.ts'
import { bitsOf, leftBy, nothing, refusal } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const donated = (shape: string, argument = 0) =>
  `a tensor of shape ${shape} was donated to compile(f), argument ${argument}; use its result`
const three = () => t.tensor([1, 2, 3])
const add1 = (x: t.Tensor) => t.add(x, 1)

/** Runs `body` in a scope; but for what `compiled` holds until it is disposed, nothing may be left after. */
function expectNothingLeft(compiled: { dispose(): void }, body: () => void): void {
  const left = leftBy(() => {
    t.scope(body)
    compiled.dispose()
  })
  expect(left).toEqual(nothing)
}

describe('a donated tensor', () => {
  const uses: readonly (readonly [string, (x: t.Tensor) => unknown])[] = [
    ['item', (x) => t.slice(x, 0, 1).item()],
    ['toFloat32Array', (x) => x.toFloat32Array()],
    ['toFloat32Array', (x) => x.toArray()],
    ['toFloat32Array', (x) => t.toSnapshot(x)],
    ['add', (x) => t.add(x, 1)],
    ['sub', (x) => t.sub(three(), x)],
    ['matmul', (x) => t.matmul(t.ones([1, 3]), x)],
    ['sum', (x) => t.sum(x)],
    ['reshape', (x) => t.reshape(x, [3, 1])],
    ['reshape', (x) => t.reshape(x, [3])],
    ['slice', (x) => t.slice(x, 1)],
    ['concat', (x) => t.concat([x, x])],
    ['oneHot', (x) => t.oneHot(x, 4)],
    ['grad', (x) => t.grad((y: t.Tensor) => t.sum(y))(x)],
    ['grad', (x) => t.vjp((y: t.Tensor) => y, x, three())],
    ['compile', (x) => t.compile(t.neg)(x)],
    ['compile', (x) => t.compile(t.neg, { donate: [0] })(x)],
    ['compile', (x) => t.compile(() => x)()],
    ['add', (x) => t.compile(() => t.add(x, 1))()],
  ]
  it.each(uses)('cannot be used: %s', (operation, use) => {
    const step = t.compile(add1, { donate: [0] })
    expectNothingLeft(step, () => {
      const x = three()
      const y = step(x)
      // A one-element slice is refused before it could be read.
      const words = operation === 'item' ? 'slice' : operation
      expect(refusal(() => use(x))).toBe(`DisposedError: ${words}: ${donated('[3]')}`)
      expect(String(x)).toBe('Tensor [3] (donated)')
      x.dispose()
      x.dispose()
      expect(y.toArray()).toEqual([2, 3, 4])
    })
  })

  it('takes all others on its memory along, views before it and after it too', () => {
    const step = t.compile((x: t.Tensor) => t.mul(x, 2), { donate: [0] })
    for (const given of [0, 1, 2]) {
      expectNothingLeft(step, () => {
        const base = t.tensor([1, 2, 3, 4])
        const all = [base, t.reshape(base, [2, 2]), t.slice(base, 1, 3), t.slice(base, 3)]
        const bits = all.map((x) => bitsOf(t.mul(x, 2)))
        const y = step(all[given]!)
        expect(bitsOf(y)).toEqual(bits[given])
        for (const x of all) {
          const error = `DisposedError: toFloat32Array: ${donated(t.showShape(x.shape))}`
          expect(refusal(() => x.toArray())).toBe(error)
          expect(refusal(() => t.grad((z: t.Tensor) => t.sum(z))(x))).toBe(
            error.replace('toFloat32Array', 'grad'),
          )
        }
        expect(bitsOf(y)).toEqual(bits[given])
      })
    }
  })

  it('is named by the first argument that it was donated with', () => {
    const step = t.compile((a: { p: t.Tensor }, b: t.Tensor, c: readonly t.Tensor[]) => [a, b, ...c], {
      donate: [2, 0],
    })
    expectNothingLeft(step, () => {
      const [a, b, c] = [three(), three(), three()]
      step({ p: a }, b, [c])
      expect(refusal(() => a.toArray())).toContain(donated('[3]', 0))
      expect(refusal(() => c.toArray())).toContain(donated('[3]', 2))
      expect(b.toArray()).toEqual([1, 2, 3])
    })
  })

  it('is written over where it lies: the result takes its place', () => {
    const step = t.compile(
      (p: { a: t.Tensor; b: t.Tensor }, x: t.Tensor) => t.mapTensors(p, (w) => t.sub(w, t.mul(x, 0.5))),
      { donate: [0] },
    )
    expectNothingLeft(step, () => {
      const x = three()
      let p = step({ a: three(), b: three() }, x)
      const places = [p.a.offset, p.b.offset]
      const before = t.memory()
      for (let turn = 0; turn < 5; turn++) p = step(p, x)
      expect([p.a.offset, p.b.offset]).toEqual(places)
      expect(t.memory()).toEqual(before)
    })
  })

  const rows: readonly (readonly [string, (a: t.Tensor, b: t.Tensor) => unknown])[] = [
    ['new values', (a, b) => [t.add(a, b), t.mul(a, b)]],
    ['one that is not used', (a) => add1(a)],
    ['none that is used', () => t.tensor([5])],
    ['one that is passed on', (a, b) => [a, add1(b)]],
    ['both passed on', (a, b) => [b, a]],
    ['one passed on twice', (a) => [a, a, t.reshape(a, [a.size])]],
    ['nothing returned', (a, b) => void t.add(a, b)],
    ['no tensor returned', () => [true, 3]],
  ]
  const pairs: readonly (readonly [string, () => readonly [t.Tensor, t.Tensor]])[] = [
    ['two', () => [three(), t.tensor([4, 5, 6])]],
    ['two empty ones', () => [t.zeros([0]), t.zeros([0])]],
    ['one twice', () => ((x) => [x, x] as const)(three())],
    ['one and its alias', () => ((x) => [x, t.reshape(x, [3])] as const)(three())],
    [
      'two parts of one',
      () => ((x) => [t.slice(x, 0, 3), t.slice(x, 2, 5)] as const)(t.tensor([1, 2, 3, 4, 5])),
    ],
  ]
  it.each(rows)('is done with whatever is returned: %s', (_, f) => {
    for (const [label, pair] of pairs) {
      for (const donate of [[0], [1], [0, 1]]) {
        const step = t.compile(f, { donate })
        expectNothingLeft(step, () => {
          for (let call = 0; call < 3; call++) {
            const given = pair()
            const sharing = given[0].storage === given[1].storage
            const expected = bitsOf(f(t.add(given[0], 0), t.add(given[1], 0)))
            const kept = bitsOf(given[1 - donate[0]!])
            const result = step(...given)
            expect(bitsOf(result), label).toEqual(expected)
            for (const i of [0, 1]) {
              const isGone = donate.includes(i) || sharing
              if (isGone)
                expect(
                  refusal(() => given[i]!.toArray()),
                  label,
                ).toContain('was donated to compile(f)')
              else expect(bitsOf(given[i]), label).toEqual(kept)
            }
            visitTensors(result, (y) => y.dispose())
          }
        })
      }
    }
  })

  it('in an argument is gone with the others there, numbers, keys and data left alone', () => {
    const step = t.compile(
      (state: { w: t.Tensor; n: number; k: t.Key; x: t.Tensor; s: string }) => ({
        ...state,
        w: t.add(state.w, t.mul(state.x, state.n)),
      }),
      { donate: [0] },
    )
    expectNothingLeft(step, () => {
      const x = { shape: [3], values: Float32Array.of(1, 2, 3) }
      const w = three()
      const result = step({ w, n: 2, k: t.key(1), x, s: 'text' })
      expect(bitsOf(result)).toEqual(
        bitsOf({ w: t.tensor([3, 6, 9]), n: 2, k: t.key(1), x: three(), s: 'text' }),
      )
      expect(x.values).toEqual(Float32Array.of(1, 2, 3))
      expect(refusal(() => w.toArray())).toContain(donated('[3]'))
    })
  })
})

describe('donating in closures', () => {
  it('what the function itself has in its closure: right once, refused from then on', () => {
    for (const size of [3, 100]) {
      const w = t.full([size], 2)
      const left = leftBy(() => {
        const step = t.compile((x: t.Tensor) => ({ x: t.add(x, 1), product: t.mul(x, w) }), { donate: [0] })
        t.scope(() => {
          expect(bitsOf(step(w))).toEqual(bitsOf({ x: t.full([size], 3), product: t.full([size], 4) }))
          for (let call = 0; call < 2; call++) {
            expect(refusal(() => step(t.ones([size])))).toBe(
              'RangeError: compile: a tensor that the function uses from a closure was donated to compile(f), argument 0; pass it as an argument',
            )
          }
        })
        step.dispose()
      })
      // The tensor that was donated.
      expect(left).toEqual({ tensors: -1, bytes: size === 3 ? -64 : -448 })
    }
  })

  it('what another function has in its closure: that one is refused before anything is taken', () => {
    const w = three()
    const other = t.compile((x: t.Tensor) => t.mul(x, w))
    const step = t.compile(add1, { donate: [0] })
    const x = three()
    t.scope(() => expect(other(x).toArray()).toEqual([1, 4, 9]))
    const w1 = step(w)
    const left = leftBy(() => {
      expect(refusal(() => other(x))).toBe(
        'RangeError: compile: a tensor that the function uses from a closure was donated to compile(f), argument 0; pass it as an argument',
      )
    })
    expect(left).toEqual(nothing)
    expect(w1.toArray()).toEqual([2, 3, 4])
    expect(x.toArray()).toEqual([1, 2, 3])
    other.dispose()
    step.dispose()
  })
})

describe('donating where something is differentiated', () => {
  const step = t.compile((x: t.Tensor) => t.neg(x), { donate: [0] })

  it('is ignored for traced values: the function runs as part of the gradient', () => {
    const x = three()
    const f = t.compile((y: t.Tensor, z: t.Tensor) => t.sum(t.mul(t.mul(y, y), z)), {
      donate: [0, 1],
      reuse: true,
    })
    const z = three()
    expectNothingLeft(f, () => {
      expect(t.grad(f)(x, z).toArray()).toEqual([2, 8, 18])
      expect(
        t
          .grad((y: t.Tensor) => f(x, y))(z)
          .toArray(),
      ).toEqual([1, 4, 9])
      expect(
        t
          .compile((y: t.Tensor) => f(y, z))(x)
          .item(),
      ).toBe(36)
    })
    expect([x.toArray(), z.toArray()]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  const needs: readonly (readonly [string, (x: t.Tensor) => t.Tensor])[] = [
    ['itself', (x) => x],
    ['an alias of it', (x) => t.reshape(x, [3])],
    ['a slice around it', (x) => t.slice(x, 0, 2)],
  ]
  it.each(needs)('leaves to a gradient what it needs: %s', (_, needed) => {
    for (const f of [
      step,
      t.compile((x: t.Tensor) => x, { donate: [0] }),
      t.compile(() => null, { donate: [0] }),
    ]) {
      expectNothingLeft(f, () => {
        const x = three()
        const w = t.full(needed(x).shape, 5)
        const gradient = t.grad((v: t.Tensor) => {
          const product = t.mul(v, needed(x))
          const y = f(x)
          // Twice: what comes out is donated too, and must be no memory that the gradient needs.
          if (y !== null) step(y)
          return t.sum(t.mul(product, v))
        })(w)
        expect(gradient.toArray()).toEqual([10, 20, 30].slice(0, w.size))
        expect(() => x.toArray()).toThrow(t.DisposedError)
      })
    }
  })

  it.each(needs)('is refused by operations, under another name too: %s', (_, other) => {
    expectNothingLeft(step, () => {
      t.scope(() => {
        const x = three()
        const alias = other(x)
        step(x)
        const words = `a tensor of shape [${alias.shape}] was donated to compile(f), argument 0; use its result`
        expect(refusal(() => t.neg(alias))).toBe(`DisposedError: neg: ${words}`)
        expect(refusal(() => t.add(alias, 1))).toBe(`DisposedError: add: ${words}`)
        expect(refusal(() => t.concat([alias]))).toBe(`DisposedError: concat: ${words}`)
        expect(refusal(() => t.reshape(alias, [-1]))).toContain(words)
        expect(refusal(() => t.grad((v: t.Tensor) => t.sum(v))(alias))).toContain(words)
      })
    })
  })

  it('leaves to a gradient what it is taken by', () => {
    expectNothingLeft(step, () => {
      const x = three()
      const gradient = t.grad((y: t.Tensor) => {
        const square = t.mul(y, y)
        step(x)
        return t.sum(square)
      })(x)
      expect(gradient.toArray()).toEqual([2, 4, 6])
    })
  })

  it('and inside of scopes and folds frees what those own, once', () => {
    expectNothingLeft(step, () => {
      const y = t.scope(() => step(t.scope(() => step(three()))))
      expect(y.toArray()).toEqual([1, 2, 3])
      const folded = t.fold({ w: step(y), n: 0 }, [1, 2, 3, 4], ({ w, n }) => ({ w: step(w), n: n + 1 }))
      expect(folded.n).toBe(4)
      expect(folded.w.toArray()).toEqual([-1, -2, -3])
      expect(refusal(() => y.toArray())).toContain(donated('[3]'))
    })
  })
})
