import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { checkGradient, referenceValues, withoutKernel } from '../src/testing.ts'
import { bits, expectClose, leftBy, loop, nothing } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

type Scan = typeof t.scan

/** A recurrent layer with gates, as long short-term memory has them, and a readout. */
interface Cell {
  readonly w: t.Tensor
  readonly u: t.Tensor
  readonly b: t.Tensor
}

interface State {
  readonly c: t.Tensor
  readonly h: t.Tensor
}

const width = 3

const cell =
  (p: Cell) =>
  (state: State, x: t.Tensor): { carry: State; y: t.Tensor } => {
    const gates = t.add(t.add(t.matmul(x, p.w), t.matmul(state.h, p.u)), p.b)
    const gate = (i: number): t.Tensor => t.slice(gates, [0, i * width], [gates.shape[0]!, (i + 1) * width])
    const c = t.add(t.mul(t.sigmoid(gate(0)), state.c), t.mul(t.sigmoid(gate(1)), t.tanh(gate(2))))
    const h = t.mul(t.sigmoid(gate(3)), t.tanh(c))
    return { carry: { c, h }, y: h }
  }

const cellFrom = (seed: number, inputs: number): Cell => ({
  w: t.normal(t.key(seed), [inputs, 4 * width], 0, 0.5),
  u: t.normal(t.key(seed + 1), [width, 4 * width], 0, 0.5),
  b: t.normal(t.key(seed + 2), [4 * width], 0, 0.5),
})

const start = (batch: number): State => ({ c: t.zeros([batch, width]), h: t.zeros([batch, width]) })

describe('two layers of cells', () => {
  interface Weights {
    readonly first: Cell
    readonly second: Cell
  }
  const weights = (): Weights => ({ first: cellFrom(1, 2), second: cellFrom(4, width) })
  const sequence = (steps: number): t.Tensor => t.normal(t.key(9), [steps, 5, 2])
  // The second one goes back over what the first one made; its weights are penalised when both are done.
  const loss =
    (scan: Scan) =>
    (p: Weights, xs: t.Tensor): t.Tensor => {
      const below = scan(cell(p.first), start(5), xs)
      const above = scan(cell(p.second), start(5), below.ys, { reverse: true })
      const penalty = t.leaves(p).reduce((sum, x) => t.add(sum, t.sum(t.square(x))), t.tensor(0))
      const read = t.add(t.mean(t.square(above.ys)), t.mean(t.mul(below.carry.c, above.carry.h)))
      return t.add(read, t.mul(penalty, 0.01))
    }

  it('have the value and the gradients of the loop to the bit', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const [p, xs] = [weights(), sequence(11)]
        const expected = bits(t.valueAndGrad(loop2)(p, xs))
        expect(bits(t.valueAndGrad(loss(t.scan))(p, xs))).toEqual(expected)
        const compiled = t.compile(t.valueAndGrad(loss(t.scan)))
        expect(bits(compiled(p, xs))).toEqual(expected)
        compiled.dispose()
        const inside = t.compile(loss(t.scan))
        expect(bits(t.valueAndGrad(inside)(p, xs))).toEqual(expected)
        inside.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })
  const loop2 = loss(loop)

  it('are trained by a compiled step that is given its weights, to the bits of the loop', () => {
    const step =
      (scan: Scan) =>
      (p: Weights, xs: t.Tensor, rate: number): { p: Weights; value: t.Tensor } => {
        const { value, gradients } = t.valueAndGrad(loss(scan))(p, xs)
        const next = t.zipTensors([p, gradients], (w, g) => t.sub(w, t.mul(g, rate)))
        return { p: next as Weights, value }
      }
    const left = leftBy(() =>
      t.scope(() => {
        const xs = sequence(6)
        const compiled = t.compile(step(t.scan), { donate: [0], reuse: true })
        let [p, q] = [weights(), weights()]
        const first = p
        for (let i = 0; i < 5; i++) {
          const one = compiled(p, xs, 0.1)
          const other = step(loop)(q, xs, 0.1)
          expect(bits(one)).toEqual(bits(other))
          p = one.p
          q = other.p
        }
        // In place all along.
        expect(t.leaves(p).every((x, i) => x === t.leaves(first)[i])).toBe(true)
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('have the gradients that finite differences give, and the float64 reference of the loop', () => {
    t.scope(() => {
      const [p, xs] = [weights(), sequence(4)]
      const f = (scan: Scan) => (q: { p: Weights; xs: t.Tensor }) => loss(scan)(q.p, q.xs)
      expect(checkGradient(f(t.scan), { p, xs }, { limit: 6, tolerance: 1e-4 }).maxError).toBeLessThan(1e-4)
      const [found] = referenceValues(f(t.scan), { p, xs })
      const [expected] = referenceValues(f(loop), { p, xs })
      expect(found!.values[0]).toBeCloseTo(expected!.values[0]!, 14)
      const gradients = (): t.Tree => t.grad(f(t.scan))({ p, xs }) as unknown as t.Tree
      expectClose(withoutKernel('scan', gradients), gradients(), 1e-5)
    })
  })
})

describe('sums of many cotangents', () => {
  type Inputs = { readonly w: t.Tensor; readonly c: t.Tensor; readonly xs: t.Tensor }
  type Results = {
    readonly after: readonly t.Tensor[]
    readonly carry: t.Tensor
    readonly ys: readonly t.Tensor[]
  }
  // Each carry is read three times and stacked three times; the last one and the first are used when all is done.
  const f =
    (scan: Scan) =>
    (p: Inputs): Results => {
      const body = (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: readonly t.Tensor[] } => {
        const next = t.add(t.tanh(t.mul(c, p.w)), t.mul(t.sigmoid(c), t.add(x, t.mul(c, 0.1))))
        return { carry: next, y: [next, t.mul(next, p.w), next, next] }
      }
      const { carry, ys } = scan(body, p.c, p.xs)
      const after = [p.w, p.c, p.xs].map((x) => t.mul(t.tanh(x), x))
      return { after, carry, ys }
    }

  it.each([1, 2, 3, 20])('are added up in the order of the loop, over %d steps', (length) => {
    t.scope(() => {
      for (let seed = 0; seed < 20; seed++) {
        const drawn = (name: string, shape: t.Shape): t.Tensor => t.normal(t.foldIn(t.key(seed), name), shape)
        const p = { w: drawn('w', [5]), c: drawn('c', [5]), xs: drawn('xs', [length, 5]) }
        let i = 0
        const cotangents = t.mapTensors(f(loop)(p), (x) => drawn(`${i++}`, x.shape))
        const expected = bits(t.vjp(f(loop), p, cotangents).gradients)
        expect(bits(t.vjp(f(t.scan), p, cotangents).gradients)).toEqual(expected)
        const compiled = t.compile((q: Inputs, g: Results) => t.vjp(f(t.scan), q, g).gradients)
        expect(bits(compiled(p, cotangents))).toEqual(expected)
        compiled.dispose()
      }
    })
  })

  it('agree within rounding where one tensor is carried twice, is a row, and is used in the body', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const g =
          (scan: Scan) =>
          (x: t.Tensor): t.Tensor => {
            const body = (
              { a, b }: { a: t.Tensor; b: t.Tensor },
              row: t.Tensor,
            ): { carry: { a: t.Tensor; b: t.Tensor }; y: t.Tensor } => {
              const next = t.tanh(t.add(t.mul(a, row), t.matmul(b, x)))
              return { carry: { a: next, b: next }, y: x }
            }
            const { carry, ys } = scan(body, { a: x, b: x }, x)
            return t.add(t.sum(t.mul(carry.a, carry.b)), t.mean(ys))
          }
        const x = t.normal(t.key(5), [4, 4], 0, 0.5)
        expectClose(t.valueAndGrad(g(t.scan))(x), t.valueAndGrad(g(loop))(x), 1e-5)
        const compiled = t.compile(t.valueAndGrad(g(t.scan)))
        expectClose(compiled(x), t.valueAndGrad(g(loop))(x), 1e-5)
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })
})

describe('parts of the carry that change places', () => {
  interface Pair {
    readonly a: t.Tensor
    readonly b: t.Tensor
  }
  const swap =
    (w: t.Tensor) =>
    ({ a, b }: Pair, x: t.Tensor): { carry: Pair; y: null } => ({
      carry: { a: b, b: t.mul(t.add(a, x), w) },
      y: null,
    })

  it.each([1, 2, 3, 8, 9, 31])('have the gradients of the loop to the bit after %d steps', (length) => {
    t.scope(() => {
      const xs = t.normal(t.key(1), [length, 3])
      const f = (scan: Scan, of: (last: Pair) => t.Tensor) => (p: Pair & { w: t.Tensor; xs: t.Tensor }) =>
        t.sum(of(scan(swap(p.w), { a: p.a, b: p.b }, p.xs).carry))
      const p = { a: t.tensor([1, 2, 3]), b: t.tensor([4, 5, 6]), w: t.tensor([0.9, 1.1, -1.2]), xs }
      for (const of of [({ a }: Pair) => a, ({ b }: Pair) => b, ({ a, b }: Pair) => t.mul(a, b)]) {
        const zerosAreOne = (): boolean => true
        const expected = bits(t.grad(f(loop, of))(p), zerosAreOne)
        expect(bits(t.grad(f(t.scan, of))(p), zerosAreOne)).toEqual(expected)
        const compiled = t.compile(t.grad(f(t.scan, of)))
        expect(bits(compiled(p), zerosAreOne)).toEqual(expected)
        compiled.dispose()
      }
    })
  })

  it('are recorded in as many lines whatever the number of steps, though gradients come by every other step', () => {
    t.scope(() => {
      const lines = (length: number): number => {
        const f = (w: t.Tensor, xs: t.Tensor): t.Tensor =>
          t.sum(t.scan(swap(w), { a: t.ones([2]), b: t.ones([2]) }, xs).carry.a)
        const compiled = t.compile(t.valueAndGrad(f))
        const { recorded } = compiled.plan(t.ones([2]), t.zeros([length, 2]))
        compiled.dispose()
        return recorded.length
      }
      expect(lines(500)).toBe(lines(50))
    })
  })
})
