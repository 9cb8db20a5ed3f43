import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { checkGradient } from '../src/testing.ts'
import { expectClose, leftBy, loop, nothing } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

type Scan = typeof t.scan

describe('derivatives of higher order', () => {
  const rows = (): t.Tensor => t.normal(t.key(3), [4, 2])
  const f =
    (scan: Scan) =>
    (w: t.Tensor): t.Tensor => {
      const body = (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
        const next = t.tanh(t.add(t.mul(c, w), t.mul(x, x)))
        return { carry: next, y: t.mul(next, c) }
      }
      const { carry, ys } = scan(body, t.full([2], 0.5), rows())
      return t.add(t.sum(t.square(carry)), t.sum(ys))
    }

  it("of the second are the loop's within rounding, and those of finite differences", () => {
    t.scope(() => {
      const w = t.tensor([0.7, -0.4])
      const gradient = (scan: Scan) => t.grad(f(scan))
      const second = (scan: Scan) => t.grad((v: t.Tensor) => t.sum(t.square(gradient(scan)(v))))
      expectClose(second(t.scan)(w), second(loop)(w), 1e-5)
      const compiled = t.compile(second(t.scan))
      expectClose(compiled(w), second(loop)(w), 1e-5)
      compiled.dispose()
      expect(checkGradient(gradient(t.scan), w).maxError).toBeLessThan(1e-4)
    })
  })

  it("of the third are the loop's within rounding", () => {
    const left = leftBy(() =>
      t.scope(() => {
        const w = t.tensor([0.7, -0.4])
        const once = (g: (w: t.Tensor) => t.Tensor) => (v: t.Tensor) => t.sum(t.tanh(t.grad(g)(v)))
        const third = (scan: Scan) => t.grad(once(once(f(scan))))
        expectClose(third(t.scan)(w), third(loop)(w), 1e-4)
        const compiled = t.compile(third(t.scan))
        expectClose(compiled(w), third(loop)(w), 1e-4)
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('of a product are known: x^n through n steps', () => {
    t.scope(() => {
      const power = (x: t.Tensor): t.Tensor =>
        t.scan((c: t.Tensor) => ({ carry: t.mul(c, x), y: null }), t.tensor(1), null, { length: 5 }).carry
      const x = t.tensor(2)
      expect(power(x).item()).toBe(32)
      expect(t.grad(power)(x).item()).toBe(80)
      expect(t.grad(t.grad(power))(x).item()).toBe(160)
      expect(
        t
          .grad(t.grad(t.grad(power)))(x)
          .item(),
      ).toBe(240)
      expect(
        t
          .compile(t.grad(t.grad(t.grad(power))))(x)
          .item(),
      ).toBe(240)
    })
  })
})

describe('a scan in the body of a scan', () => {
  // Nothing comes from around: all that is differentiated is carried, or a row.
  const inner =
    (scan: Scan) =>
    (c: t.Tensor, x: t.Tensor): t.Tensor => {
      const step = (a: t.Tensor, row: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
        const next = t.tanh(t.add(t.mul(a, 0.7), t.mul(row, t.mul(a, row))))
        return { carry: next, y: t.mul(next, a) }
      }
      const { carry, ys } = scan(step, t.tanh(c), t.concat([x, t.mul(x, c), x, c]))
      return t.add(t.mul(t.sum(ys), 0.3), carry)
    }
  const forward =
    (scan: Scan) =>
    (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
      const next = t.tanh(t.add(c, inner(scan)(c, x)))
      return { carry: next, y: next }
    }
  const descending =
    (scan: Scan) =>
    (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
      const gradient = t.grad((a: t.Tensor) => t.sum(inner(scan)(a, x)))(c)
      return { carry: t.sub(c, t.mul(gradient, 0.2)), y: gradient }
    }

  it.each([
    ['forward', forward],
    ['with a gradient in it', descending],
  ])('%s has derivatives to the third order', (_, bodyOf) => {
    const left = leftBy(() =>
      t.scope(() => {
        const p = { c: t.tensor([0.4]), xs: t.tensor([0.5, -0.3, 0.8, 0.2, -0.6], [5, 1]) }
        type P = typeof p
        const f =
          (scan: Scan) =>
          ({ c, xs }: P): t.Tensor => {
            const { carry, ys } = scan(bodyOf(scan), c, xs)
            return t.add(t.sum(t.square(carry)), t.sum(t.tanh(ys)))
          }
        const raised = (g: (q: P) => t.Tensor) => (q: P) => {
          const { c, xs } = t.grad(g)(q)
          return t.add(t.sum(t.tanh(c)), t.sum(t.square(xs)))
        }
        let [found, expected] = [f(t.scan), f(loop)]
        for (let order = 1; order <= 3; order++) {
          expectClose(t.grad(found)(p), t.grad(expected)(p), 1e-4)
          const compiled = t.compile(t.grad(found))
          expectClose(compiled(p), t.grad(expected)(p), 1e-4)
          compiled.dispose()
          if (order < 3) expect(checkGradient(found, p).maxError).toBeLessThan(1e-3)
          found = raised(found)
          expected = raised(expected)
        }
      }),
    )
    expect(left).toEqual(nothing)
  })
})
