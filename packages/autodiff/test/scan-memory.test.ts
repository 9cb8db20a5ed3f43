import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { bits, leftBy, loop, nothing } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

interface Weights {
  readonly w: t.Tensor
  readonly u: t.Tensor
}

const width = 16

const weights = (): Weights => ({
  w: t.normal(t.key(1), [width, width], 0, 0.2),
  u: t.normal(t.key(2), [width, width], 0, 0.2),
})

const sequence = (steps: number): t.Tensor => t.normal(t.key(3), [steps, 4, width])

/** A recurrent layer; `seen` is called whenever its body is. */
const layer =
  (scan: typeof t.scan, seen: () => void = () => {}) =>
  (p: Weights, xs: t.Tensor): t.Tensor => {
    const body = (h: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
      seen()
      const next = t.tanh(t.add(t.matmul(x, p.w), t.matmul(t.sigmoid(h), p.u)))
      return { carry: next, y: t.mul(next, next) }
    }
    const { carry, ys } = scan(body, t.zeros([4, width]), xs)
    return t.add(t.sum(ys), t.sum(carry))
  }

describe('the body', () => {
  it.each([0, 1, 3, 50])('is run once for %d steps, and not at all on the way back', (steps) => {
    t.scope(() => {
      let runs = 0
      const f = layer(t.scan, () => runs++)
      const [p, xs] = [weights(), sequence(steps)]
      const count = (call: () => unknown): number => {
        runs = 0
        t.scope(call)
        return runs
      }
      expect(count(() => f(p, xs))).toBe(1)
      expect(count(() => t.valueAndGrad(f)(p, xs))).toBe(1)
      const twice = (q: Weights): t.Tensor => t.sum(t.square(t.grad(f)(q, xs).u))
      expect(count(() => t.grad(twice)(p))).toBe(1)
      const compiled = t.compile(t.valueAndGrad(f))
      const call = (): unknown => compiled(p, xs)
      expect([count(call), count(call)]).toEqual([1, 0])
      compiled.dispose()
    })
  })

  it('is recorded in as many lines whatever the number of steps; how long that takes is printed', () => {
    t.scope(() => {
      const p = weights()
      const measured = [5, 50, 500].map((steps) => {
        const xs = sequence(steps)
        const times = Array.from({ length: 10 }, () => {
          const compiled = t.compile(t.valueAndGrad(layer(t.scan)))
          const start = performance.now()
          const lines = compiled.plan(p, xs).recorded.length
          const milliseconds = performance.now() - start
          compiled.dispose()
          return { lines, milliseconds }
        })
        return { lines: times[0]!.lines, milliseconds: Math.min(...times.map((one) => one.milliseconds)) }
      })
      const [few, some, many] = measured
      expect(many!.lines).toBe(some!.lines)
      expect(many!.lines).toBe(few!.lines)
      const ratio = (many!.milliseconds / few!.milliseconds).toFixed(2)
      console.log(`value and gradient: recording 500 steps takes ${ratio} times as long as 5`)
    })
  })
})

describe('what is kept', () => {
  it('is far less for a gradient over 200 steps than in the loop, and nothing after it', () => {
    t.scope(() => {
      const [p, xs] = [weights(), sequence(200)]
      const peak = (call: () => unknown): number => {
        t.resetPeakBytes()
        const from = t.memory()
        expect(leftBy(() => t.scope(call))).toEqual(nothing)
        return t.memory().peakBytes - from.bytes
      }
      const scanned = peak(() => void t.valueAndGrad(layer(t.scan))(p, xs))
      const compiled = t.compile(t.valueAndGrad(layer(t.scan)))
      compiled(p, xs)
      const planned = peak(() => void compiled(p, xs))
      compiled.dispose()
      const unrolled = peak(() => void t.valueAndGrad(layer(loop))(p, xs))
      expect(scanned).toBeLessThan(unrolled / 8)
      expect(planned).toBeLessThan(unrolled / 8)
    })
  })

  it('is the same after many calls', () => {
    t.scope(() => {
      const [p, xs] = [weights(), sequence(7)]
      const compiled = t.compile(t.valueAndGrad(layer(t.scan)))
      const calls = (): void => {
        t.scope(() => void t.valueAndGrad(layer(t.scan))(p, xs))
        t.scope(() => void compiled(p, xs))
      }
      for (let i = 0; i < 5; i++) calls()
      const before = t.memory()
      for (let i = 0; i < 50; i++) calls()
      expect(t.memory()).toEqual(before)
      compiled.dispose()
    })
  })
})

describe('what the body uses', () => {
  // d/dw of the sum over three rows of x w² with x = 1, 2, 3, one step after the other.
  const rows = (): t.Tensor => t.tensor([1, 2, 3])
  const body =
    (w: t.Tensor) =>
    (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
      const y = t.mul(x, t.mul(w, w))
      return { carry: t.add(c, y), y }
    }

  it('may be disposed of before its gradient is taken', () => {
    t.scope(() => {
      const gradient = t.grad((v: t.Tensor) => {
        const [w, xs, c] = [t.mul(v, 2), rows(), t.tensor(0)]
        const { carry, ys } = t.scan(body(w), c, xs)
        const value = t.mul(carry, t.sum(ys))
        for (const x of [w, xs, c, carry, ys]) x.dispose()
        return value
      })
      // (24 v²)², of which the derivative is 4 · 576 v³.
      expect(gradient(t.tensor(1)).item()).toBe(2304)
      expect(t.grad(gradient)(t.tensor(1)).item()).toBe(6912)
    })
  })

  it('may be made in the body, and in a scope around', () => {
    t.scope(() => {
      const f = (w: t.Tensor, xs: t.Tensor): t.Tensor =>
        t.scope(() => {
          const { carry, ys } = t.scan(
            (c: t.Tensor, x: t.Tensor) => {
              const constant = t.tensor([1, 10])
              const next = t.scope(() => t.add(c, t.mul(t.mul(t.full([2], 0.5), x), t.mul(constant, w))))
              return { carry: next, y: constant }
            },
            t.zeros([2]),
            xs,
          )
          return t.sum(t.mul(carry, t.sum(ys, { axis: 0 })))
        })
      const w = t.tensor(3)
      // 0.5 (1 + 2 + 3) (1 · 3 + 10 · 30) w
      expect(f(w, rows()).item()).toBe(2727)
      expect(t.grad(f)(w, rows()).item()).toBe(909)
      const compiled = t.compile(t.grad(f))
      for (let i = 0; i < 2; i++) expect(compiled(w, rows()).item()).toBe(909)
      compiled.dispose()
    })
  })

  it('is kept by a program, though it is disposed of when the program is recorded', () => {
    t.scope(() => {
      const constant = t.tensor(2)
      const compiled = t.compile(
        (w: t.Tensor) =>
          t.scan(
            (c: t.Tensor, x: t.Tensor) => ({ carry: t.add(c, t.mul(constant, t.mul(w, x))), y: null }),
            w,
            rows(),
          ).carry,
      )
      expect(compiled(t.tensor(1)).item()).toBe(13)
      constant.dispose()
      const filler = Array.from({ length: 100 }, () => t.zeros([1]))
      expect(compiled(t.tensor(1)).item()).toBe(13)
      expect(filler).toHaveLength(100)
      compiled.dispose()
    })
  })

  it('may be the result of another scan, of which the rest is dropped', () => {
    t.scope(() => {
      const f =
        (scan: typeof t.scan) =>
        (w: t.Tensor): t.Tensor => {
          const first = scan(body(w), t.tensor(0), rows()).carry
          const { ys } = scan(body(first), first, rows())
          return t.sum(t.mul(ys, first))
        }
      const w = t.tensor(0.5)
      expect(bits(t.valueAndGrad(f(t.scan))(w))).toEqual(bits(t.valueAndGrad(f(loop))(w)))
    })
  })

  it('leaves results that last when the rest of it is freed', () => {
    const left = leftBy(() => {
      const kept = t.scope(() => t.scan(body(t.tensor(2)), t.tensor(0), rows()).ys)
      const filler = Array.from({ length: 20 }, () => t.full([64], 7))
      expect(kept.toArray()).toEqual([4, 8, 12])
      for (const x of [kept, ...filler]) x.dispose()
    })
    expect(left).toEqual(nothing)
  })
})
