import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { expectEager, leftBy, nothing } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

const x = (): t.Tensor => t.tensor([0.5, -1, 2])

/** Functions, and the same with what is stopped given as a constant: their gradients are the same bits. */
const functions: Readonly<Record<string, (x: t.Tensor, stop: (x: t.Tensor) => t.Tensor) => t.Tensor>> = {
  'a factor': (x, stop) => t.mul(x, stop(t.exp(x))),
  'an input': (x, stop) => t.mul(t.tanh(x), stop(x)),
  everything: (_, stop) => stop(t.tensor([1, 2, 3])),
  'a view': (x, stop) => t.mul(x, t.reshape(stop(t.reshape(x, [3, 1])), [3])),
  'what is computed from it': (x, stop) => t.mul(x, t.tanh(t.matmul(t.reshape(stop(x), [1, 3]), t.eye(3)))),
  'what is stopped twice': (x, stop) => t.mul(t.square(x), stop(t.mul(stop(x), x))),
  'a gradient': (x, stop) => t.mul(x, stop(t.grad((y: t.Tensor) => t.sum(t.mul(t.square(y), x)))(x))),
  'in a gradient': (x, stop) => t.grad((y: t.Tensor) => t.sum(t.mul(stop(t.mul(y, x)), t.mul(x, y))))(x),
}

// The values that are stopped, read from a first run: the reference.
function constants(f: (stop: (x: t.Tensor) => t.Tensor) => unknown): (x: t.Tensor) => t.Tensor {
  const seen: t.Snapshot[] = []
  t.scope(() => {
    f((x) => {
      seen.push(t.toSnapshot(x))
      return t.stopGradient(x)
    })
  })
  let next = 0
  return () => t.fromSnapshot(seen[next++]!)
}

describe.each(Object.entries(functions))('stopGradient of %s', (_, f) => {
  it('is a constant to gradients', () => {
    t.scope(() => {
      const gradient = (stop: (x: t.Tensor) => t.Tensor): t.Tensor =>
        t.grad((y: t.Tensor) => t.sum(f(y, stop)))(x())
      const expected = gradient(constants((stop) => f(x(), stop)))
      expect(gradient(t.stopGradient).toArray()).toEqual(expected.toArray())
      const seconds = t.grad((y: t.Tensor) => t.sum(t.grad((z: t.Tensor) => t.sum(f(z, t.stopGradient)))(y)))
      expect(seconds(x()).shape).toEqual([3])
    })
  })

  it('is the same in programs, scans and checkpoints', () => {
    const value = (y: t.Tensor): t.Tensor => f(y, t.stopGradient)
    const total = (g: (y: t.Tensor) => t.Tensor) => (y: t.Tensor) => t.sum(g(y))
    const once = (y: t.Tensor): t.Tensor =>
      t.scan(
        (c: t.Tensor, row: t.Tensor) => ({ carry: c, y: t.add(value(row), t.mul(c, 0)) }),
        y,
        t.reshape(y, [1, 3]),
      ).ys
    const ways: Readonly<Record<string, (y: t.Tensor) => t.Tensor>> = {
      plain: value,
      checkpoint: (y) => t.checkpoint(value)(y),
      scan: (y) => t.reshape(once(y), [3]),
      compile: (y) => t.compile(value)(y),
    }
    const expected = t.scope(() => t.grad(total(value))(x()).toArray())
    for (const [name, way] of Object.entries(ways)) {
      expect(
        t.scope(() => t.grad(total(way))(x()).toArray()),
        name,
      ).toEqual(expected)
      expectEager(t.grad(total(way)), () => [x()], {}, name)
      expectEager(t.grad(total((y) => t.grad(total(way))(y))), () => [x()], {}, `${name}, twice`)
    }
  })
})

describe('stopGradient', () => {
  it('copies nothing, and keeps nothing for a gradient', () => {
    const left = leftBy(() =>
      t.scope(() => {
        t.grad((y: t.Tensor) => {
          const before = t.memory().bytes
          const stopped = t.stopGradient(y)
          expect(t.memory().bytes).toBe(before)
          // On a tape it would live as long as that does.
          t.tanh(stopped).dispose()
          expect(t.memory().bytes).toBe(before)
          return t.sum(y)
        })(x())
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('outlives what it was made of', () => {
    const y = x()
    const stopped = t.stopGradient(y)
    y.dispose()
    expect(stopped.toArray()).toEqual([0.5, -1, 2])
    expect(() => t.stopGradient(y)).toThrow(
      'stopGradient: a tensor of shape [3] was used after it was disposed; keep it by returning it from the scope that made it',
    )
    stopped.dispose()
  })

  it('is a constant to a derivative along a direction', () => {
    t.scope(() => {
      const { value, tangent } = t.jvp((y: t.Tensor) => t.mul(y, t.stopGradient(y)), x(), t.ones([3]))
      expect(value.toArray()).toEqual([0.25, 1, 4])
      expect(tangent.toArray()).toEqual([0.5, -1, 2])
    })
  })
})
