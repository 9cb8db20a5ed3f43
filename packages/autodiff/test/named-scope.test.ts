import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { bitsOf, leftBy, nothing } from './compile-law.ts'

const pathsOf = (f: (x: t.Tensor) => unknown): string[] =>
  t
    .graph(f, t.tensor([1, 2]))
    .nodes.filter(({ kind }) => kind === 'operation')
    .map(({ operation, path, pass }) => `${operation}:${path}:${pass}`)

describe('names', () => {
  it('within names are joined by a dot, and end with their function', () => {
    const f = (x: t.Tensor): t.Tensor => {
      const inner = t.namedScope('a', () =>
        t.namedScope('b.0', () => t.exp(t.namedScope('c', () => t.neg(x)))),
      )
      return t.tanh(inner)
    }
    expect(pathsOf(f)).toEqual(['neg:a.b.0.c:forward', 'exp:a.b.0:forward', 'tanh::forward'])
  })

  it('end when their function throws', () => {
    const f = (x: t.Tensor): t.Tensor => {
      expect(() =>
        t.namedScope('a', () => {
          throw new Error('mine')
        }),
      ).toThrow('mine')
      return t.exp(x)
    }
    expect(pathsOf(f)).toEqual(['exp::forward'])
  })

  it('go with operations on their way back, through gradients of gradients too', () => {
    const f = (x: t.Tensor): t.Tensor => t.sum(t.namedScope('cube', () => t.mul(x, t.mul(x, x))))
    const slope = t.grad(f)
    const curvature = t.grad((x: t.Tensor) => t.sum(slope(x)))
    expect(pathsOf(f)).toEqual(['mul:cube:forward', 'mul:cube:forward', 'sum::forward'])
    for (const g of [slope, curvature]) {
      const products = pathsOf(g).filter((name) => name.startsWith('mul'))
      expect(products.filter((name) => !name.startsWith('mul:cube:'))).toEqual([])
      expect(products).toContain('mul:cube:backward')
    }
  })

  it('go back through what is known while a function is recorded, too', () => {
    const known = t.tensor([3, 4])
    const f = (x: t.Tensor): t.Tensor => {
      const slope = t.grad((k: t.Tensor) =>
        t.sum(
          t.namedScope('product', () =>
            t.mul(
              t.namedScope('power', () => t.exp(k)),
              x,
            ),
          ),
        ),
      )
      return slope(known)
    }
    expect(pathsOf(f)).toEqual(['mul:product:backward', 'mul:product.power:backward'])
  })

  it('are those around a transform, a compiled function and a step of a scan, too', () => {
    const f = (x: t.Tensor): t.Tensor =>
      t.namedScope('outer', () => t.grad((y: t.Tensor) => t.sum(t.namedScope('inner', () => t.exp(y))))(x))
    expect(pathsOf(f)).toEqual(['exp:outer.inner:forward', 'mul:outer.inner:backward'])
    const compiled = t.compile((x: t.Tensor) => t.namedScope('inner', () => t.exp(x)))
    expect(pathsOf((x) => t.namedScope('outer', () => compiled(x)))).toEqual(['exp:outer.inner:forward'])
    const scanned = (x: t.Tensor): unknown =>
      t.namedScope('loop', () =>
        t.scan((c: t.Tensor, y: t.Tensor) => ({ carry: t.add(c, y), y: null }), t.tensor(0), x),
      )
    expect(pathsOf(scanned)).toEqual(['scan:loop:forward'])
  })

  it('change no bit, free nothing and keep nothing', () => {
    const f = (x: t.Tensor): t.Tensor => t.tanh(t.exp(x))
    const x = t.tensor([0.5, -3])
    expect(bitsOf(t.namedScope('a', () => f(x)))).toEqual(bitsOf(f(x)))
    const kept: t.Tensor[] = []
    t.scope(() => {
      t.namedScope('a', () => {
        kept.push(t.exp(x))
        return null
      })
      expect(kept[0]!.toArray()).toEqual(t.exp(x).toArray())
    })
    expect(
      leftBy(() => t.scope(() => void t.namedScope('a', () => t.grad((y: t.Tensor) => t.sum(f(y)))(x)))),
    ).toEqual(nothing)
  })

  it('must be texts, of functions that are synchronous', () => {
    expect(() => t.namedScope('', () => 1)).toThrow(
      "namedScope: the name must be a text, got an empty one; pass 'encoder'",
    )
    expect(() => t.namedScope(3 as unknown as string, () => 1)).toThrow(
      "namedScope: the name must be a text, got a number; pass 'encoder'",
    )
    expect(() => t.namedScope('a', async () => 1)).toThrow(
      'namedScope: the function is asynchronous; await outside, and pass a synchronous function',
    )
    expect(pathsOf((x) => t.exp(x))).toEqual(['exp::forward'])
  })
})
