import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { bits, errorOf } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

let before = t.memory()
beforeEach(() => {
  before = t.memory()
})
afterEach(() => {
  const { tensors, bytes } = t.memory()
  expect([tensors, bytes]).toEqual([before.tensors, before.bytes])
})

describe('an index out of range at a later step', () => {
  const words = 'gather: index 5 at place 0 is not an integer from 0 to 3; count classes from 0'
  const error = { name: 'RangeError', message: words, operation: 'gather' }
  const rowsOf = (last: number): t.Tensor => t.tensor([[1], [0], [2], [last], [3]])
  const read = (w: t.Tensor, at: t.Tensor): t.Tensor =>
    t.sum(
      t.scan((c: t.Tensor, i: t.Tensor) => ({ carry: t.mul(c, t.gather(w, i)), y: c }), t.ones([1]), at).ys,
    )
  const weights = (): t.Tensor => t.tensor([1, 2, 3, 4])

  it('is found eagerly, in gradients, and in the gradient of a gradient', () => {
    t.scope(() => {
      expect(errorOf(() => read(weights(), rowsOf(5)))).toEqual(error)
      expect(errorOf(() => t.grad(read)(weights(), rowsOf(5)))).toEqual(error)
      const twice = (w: t.Tensor, at: t.Tensor): t.Tensor => t.sum(t.grad(read)(w, at))
      expect(errorOf(() => t.grad(twice)(weights(), rowsOf(5)))).toEqual(error)
      expect(t.grad(read)(weights(), rowsOf(1)).toArray()).toEqual([20, 17, 6, 0])
    })
  })

  it('is found at every run of a program, which leaves donated arguments as they are', () => {
    t.scope(() => {
      const step = (w: t.Tensor, at: t.Tensor): t.Tensor => t.sub(w, t.grad(read)(w, at))
      const compiled = t.compile(step, { donate: [0] })
      const w = weights()
      for (let i = 0; i < 2; i++) {
        expect(errorOf(() => compiled(w, rowsOf(5)))).toEqual(error)
        expect(w.toArray()).toEqual([1, 2, 3, 4])
      }
      expect(compiled(w, rowsOf(1)).toArray()).toEqual([-19, -15, -3, 4])
      expect(() => w.toArray()).toThrow('donated to compile(f), argument 0; use its result')
      compiled.dispose()
    })
  })

  it('is found before anything is written over, whatever else the program does', () => {
    t.scope(() => {
      const w = weights()
      const step = (v: t.Tensor, table: t.Tensor, at: t.Tensor): readonly t.Tensor[] => [
        t.mul(v, 2),
        read(table, at),
      ]
      const compiled = t.compile(step, { donate: [0] })
      expect(errorOf(() => compiled(w, weights(), rowsOf(5)))).toEqual(error)
      expect(w.toArray()).toEqual([1, 2, 3, 4])
      const draw = (k: t.Key): t.Tensor =>
        t.scan((_: null, row: t.Key) => ({ carry: null, y: t.uniform(row, [1], 2, 1) }), null, k, {
          length: 2,
        }).ys
      const drawing = t.compile((v: t.Tensor, k: t.Key) => [t.mul(v, 2), draw(k)], { donate: [0] })
      expect(() => drawing(w, t.key(1))).toThrow('uniform: low must be below high')
      expect(w.toArray()).toEqual([1, 2, 3, 4])
      compiled.dispose()
      drawing.dispose()
    })
  })

  it('is found though nobody reads what comes out', () => {
    t.scope(() => {
      const unread = (w: t.Tensor, at: t.Tensor): t.Tensor => {
        read(w, at)
        return t.mul(w, 2)
      }
      for (const f of [
        unread,
        t.checkpoint(unread),
        t.grad((w: t.Tensor, at: t.Tensor) => t.sum(unread(w, at))),
      ]) {
        expect(errorOf(() => f(weights(), rowsOf(5)))).toEqual(error)
        const compiled = t.compile(f)
        expect(errorOf(() => compiled(weights(), rowsOf(5)))).toEqual(error)
        expect(bits(compiled(weights(), rowsOf(1)))).toEqual(bits(f(weights(), rowsOf(1))))
        compiled.dispose()
      }
    })
  })

  it('is found in a scan inside, and in a checkpoint', () => {
    t.scope(() => {
      const inside = (w: t.Tensor, at: t.Tensor): t.Tensor =>
        t.scan(
          (c: t.Tensor, i: t.Tensor) => ({ carry: t.add(c, read(w, t.reshape(i, [1, 1]))), y: null }),
          t.tensor(0),
          at,
        ).carry
      expect(errorOf(() => inside(weights(), rowsOf(5)))).toEqual(error)
      const compiled = t.compile(t.grad(inside))
      expect(errorOf(() => compiled(weights(), rowsOf(5)))).toEqual(error)
      compiled.dispose()
      expect(errorOf(() => t.checkpoint(read)(weights(), rowsOf(5)))).toEqual(error)
      expect(errorOf(() => t.grad(t.checkpoint(read))(weights(), rowsOf(5)))).toEqual(error)
    })
  })
})
