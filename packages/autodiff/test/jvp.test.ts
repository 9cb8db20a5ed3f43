import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { expectEager, leftBy, nothing, refusal } from './compile-law.ts'
import { expectClose } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

describe('jvp', () => {
  it('is the Jacobian times the tangents, in the structure of the value', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const f = (p: { w: t.Tensor; deep: t.Tensor[]; rate: number; none: null }) => ({
          product: t.mul(t.matmul(p.w, p.deep[0]!), p.rate),
          rest: [t.square(p.deep[0]!), p.none, p.rate],
        })
        const w = t.tensor([
          [1, 2],
          [3, 4],
        ])
        const x = t.tensor([[5], [6]])
        const { value, tangent } = t.jvp(
          f,
          { w, deep: [x], rate: 2, none: null },
          { w: t.eye(2), deep: [t.ones([2, 1])], rate: 2, none: null },
        )
        expect(t.mapTensors(value, (y) => y.toArray())).toEqual({
          product: [[34], [78]],
          rest: [[[25], [36]], null, 2],
        })
        // d(2 w x) = 2 (dw x + w dx)
        expect(t.mapTensors(tangent, (y) => y.toArray())).toEqual({
          product: [[16], [26]],
          rest: [[[10], [12]], null, 2],
        })
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('has zeros where the value does not depend on what moves, and the tangent itself for an input', () => {
    t.scope(() => {
      const f = (p: { x: t.Tensor; y: t.Tensor }) => ({
        same: p.x,
        twice: p.x,
        other: t.exp(p.y),
        fixed: t.ones([2]),
      })
      const along = t.tensor([1, 2])
      const { tangent } = t.jvp(f, { x: t.ones([2]), y: t.ones([3]) }, { x: along, y: null })
      expect(t.mapTensors(tangent, (x) => x.toArray())).toEqual({
        same: [1, 2],
        twice: [1, 2],
        other: [0, 0, 0],
        fixed: [0, 0],
      })
      tangent.same.dispose()
      expect([tangent.twice.toArray(), along.toArray()]).toEqual([
        [1, 2],
        [1, 2],
      ])
    })
  })

  it('does not move by indices, which have no gradient', () => {
    t.scope(() => {
      const f = (p: { x: t.Tensor; at: t.Tensor }) => t.gather(p.x, p.at)
      const x = { x: t.tensor([1, 2, 3]), at: t.tensor([2, 0]) }
      expect(t.jvp(f, x, { x: t.tensor([10, 20, 30]), at: t.ones([2]) }).tangent.toArray()).toEqual([30, 10])
      expect(t.jvp(f, x, { x: null, at: t.ones([2]) }).tangent.toArray()).toEqual([0, 0])
      expect(t.jvp(f, x, null).tangent.toArray()).toEqual([0, 0])
    })
  })

  it('does not confuse perturbations of nested functions', () => {
    t.scope(() => {
      const one = t.tensor(1)
      const push = (f: (x: t.Tensor) => t.Tensor, x: t.Tensor): t.Tensor => t.jvp(f, x, one).tangent
      // d/dx [x d/dy (x + y)] = 1, and d/dx [x d/dy (x y)] = 2x (Siskind & Pearlmutter 2005).
      const inner = (combine: typeof t.add) => (x: t.Tensor) =>
        t.mul(
          x,
          push((y) => combine(x, y), t.tensor(2)),
        )
      expect(push(inner(t.add), t.tensor(5)).item()).toBe(1)
      expect(push(inner(t.mul), t.tensor(5)).item()).toBe(10)
      expect(t.grad(inner(t.mul))(t.tensor(5)).item()).toBe(10)
    })
  })

  it('is differentiable in the tangents as in the inputs', () => {
    t.scope(() => {
      const f = (p: { x: t.Tensor; v: t.Tensor }) =>
        t.sum(t.jvp((x: t.Tensor) => t.mul(x, t.square(x)), p.x, p.v).tangent)
      const { x, v } = t.grad(f)({ x: t.tensor([1, 2]), v: t.tensor([10, 100]) })
      expect([x.toArray(), v.toArray()]).toEqual([
        [60, 1200],
        [3, 12],
      ])
    })
  })

  it('takes what was made outside, gives tensors of its own, and leaves nothing when it throws', () => {
    const x = t.tensor([1, 2])
    const left = leftBy(() => {
      const { value, tangent } = t.jvp((y: t.Tensor) => y, x, x)
      value.dispose()
      tangent.dispose()
      expect(() =>
        t.jvp((y: t.Tensor) => t.matmul(t.reshape(t.exp(y), [1, 2]), t.ones([3, 1])), x, x),
      ).toThrow('inner sizes differ')
    })
    expect(left).toEqual(nothing)
    expect(x.toArray()).toEqual([1, 2])
    x.dispose()
  })

  it('holds memory flat over 1,000 calls', () => {
    const [x, v] = [t.tensor([[1, 2]]), t.tensor([[0.5, -1]])]
    const at: Record<number, unknown> = {}
    for (let i = 0; i < 1000; i++) {
      t.scope(() => {
        t.jvp((y: t.Tensor) => t.tanh(t.matmul(y, t.transpose(y))), x, v)
        t.hvp((y: t.Tensor) => t.sum(t.tanh(y)), x, v)
      })
      if (i === 100 || i === 999) at[i] = t.memory()
    }
    expect(at[999]).toEqual(at[100])
    x.dispose()
    v.dispose()
  })
})

describe('a program of a derivative along a direction', () => {
  const layers = [0, 1, 2].map((i) => ({ weight: [8, 8], bias: [8], seed: i }))
  const parameters = () =>
    layers.map(({ weight, bias, seed }) => ({
      weight: t.normal(t.key(seed), weight, 0, 0.3),
      bias: t.normal(t.key(seed + 10), bias, 0, 0.1),
    }))
  type Parameters = ReturnType<typeof parameters>
  const network = (p: Parameters, x: t.Tensor): t.Tensor =>
    p.reduce((h, { weight, bias }) => t.tanh(t.add(t.matmul(h, weight), bias)), x)
  const batch = (): t.Tensor => t.normal(t.key(20), [4, 8])

  it('has no line that only a cotangent needs: it multiplies no more matrices than the formula does', () => {
    t.scope(() => {
      const push = t.compile((p: Parameters, v: Parameters, x: t.Tensor) =>
        t.jvp((q: Parameters) => network(q, x), p, v),
      )
      const { planned } = push.plan(parameters(), parameters(), batch())
      // Forward one for each layer; along the tangents h dW for each, and dh W for each but the first.
      const count = (text: string): number => planned.filter((line) => line.includes(text)).length
      expect(planned.filter((line) => /matmul/.test(line)).length).toBe(3 + 3 + 2)
      expect(count('transpose')).toBe(0)
      push.dispose()
    })
  })

  it('computes what is computed without', () => {
    expectEager(
      (p: Parameters, v: Parameters, x: t.Tensor) => t.jvp((q: Parameters) => network(q, x), p, v),
      () => [parameters(), parameters(), batch()],
    )
  })
})

describe('hvp', () => {
  const f = (p: { w: t.Tensor; b: t.Tensor; none: null }): t.Tensor =>
    t.sum(t.exp(t.mul(t.sin(t.add(t.matmul(p.w, p.w), p.b)), p.b)))
  const at = () => ({ w: t.normal(t.key(1), [3, 3], 0, 0.5), b: t.normal(t.key(2), [3]), none: null })
  const along = () => ({ w: t.normal(t.key(3), [3, 3]), b: t.normal(t.key(4), [3]), none: null })

  it('is the Jacobian-vector product of the gradient, beside value and gradients', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const { value, gradients, products } = t.hvp(f, at(), along())
        const both = t.valueAndGrad(f)(at())
        expect([value.toArray(), gradients.w.toArray(), gradients.b.toArray()]).toEqual([
          both.value.toArray(),
          both.gradients.w.toArray(),
          both.gradients.b.toArray(),
        ])
        expectClose(
          products,
          t.jvp((p: ReturnType<typeof at>) => t.grad(f)(p) as typeof p, at(), along()).tangent,
          1e-5,
        )
        expectClose(
          products,
          t.grad((p: ReturnType<typeof at>) => {
            const gradient = t.grad(f)(p)
            const v = along()
            return t.add(t.sum(t.mul(gradient.w, v.w)), t.sum(t.mul(gradient.b, v.b)))
          })(at()),
          1e-5,
        )
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('is H v where the Hessian is known', () => {
    t.scope(() => {
      const a = t.tensor([
        [2, 1],
        [1, 3],
      ])
      const quadratic = (x: t.Tensor): t.Tensor =>
        t.div(t.sum(t.mul(x, t.reshape(t.matmul(a, t.reshape(x, [2, 1])), [2]))), 2)
      const { products } = t.hvp(quadratic, t.tensor([5, -7]), t.tensor([1, 10]))
      expect(products.toArray()).toEqual([12, 31])
      const { products: none } = t.hvp(quadratic, t.tensor([5, -7]), null)
      expect(none.toArray()).toEqual([0, 0])
      const linear = t.hvp((x: t.Tensor) => t.sum(x), t.tensor([1, 2]), t.tensor([3, 4]))
      expect(linear.products.toArray()).toEqual([0, 0])
    })
  })

  it('gives the same bits compiled', () => {
    expectEager(
      (p: ReturnType<typeof at>, v: ReturnType<typeof at>) => t.hvp(f, p, v),
      () => [at(), along()],
    )
  })
})

describe('what derivatives along a direction refuse', () => {
  const f = (p: { w: t.Tensor; list: readonly t.Tensor[] }): t.Tensor => t.add(t.sum(p.w), t.sum(p.list[0]!))
  const x = () => ({ w: t.ones([2, 3]), list: [t.ones([1])] })
  type Any = (f: unknown, x: unknown, v: unknown) => unknown
  const transforms: readonly (readonly [name: string, what: string, call: Any])[] = [
    ['jvp', 'tangent', t.jvp as Any],
    ['hvp', 'vector', t.hvp as Any],
  ]

  it.each(transforms)('%s: in exact words', (name, what, call) => {
    const table: readonly (readonly [message: string, call: () => unknown])[] = [
      [
        `RangeError: ${name}: the ${what} at 'w' must have its input's shape [2,3], got [3,2]`,
        () => call(f, x(), { w: t.ones([3, 2]), list: null }),
      ],
      [
        `TypeError: ${name}: the ${what} at 'list.0' must be a tensor of shape [1] or null, got undefined; null stands for none`,
        () => call(f, x(), { w: null, list: [] }),
      ],
      [
        `TypeError: ${name}: the ${what}s at 'list' must be an array or null, got undefined; match the structure of the inputs`,
        () => call(f, x(), { w: null }),
      ],
      [
        `RangeError: ${name}: there is a ${what} at 'b', where the inputs have nothing; match the structure of the inputs`,
        () => call(f, x(), { w: null, list: null, b: t.ones([1]) }),
      ],
      [
        `RangeError: ${name}: the ${what} must have its input's shape [2], got [3]`,
        () => call((y: t.Tensor) => t.sum(y), t.ones([2]), t.ones([3])),
      ],
      [
        `TypeError: ${name}: a function is needed, got a Tensor; pass x => … instead of its result`,
        () => call(t.ones([1]), x(), x()),
      ],
      [
        `TypeError: ${name}: inputs must be tensors, got the number 3; wrap it in t.tensor to differentiate by it`,
        () => call(f, 3, 3),
      ],
    ]
    for (const [message, refused] of table) {
      const left = leftBy(() => t.scope(() => expect(refusal(refused)).toBe(message)))
      expect(left, message).toEqual(nothing)
    }
  })

  it('hvp: a value of more than one element', () => {
    t.scope(() => {
      expect(() => t.hvp((y: t.Tensor) => y, t.ones([2]), t.ones([2]))).toThrow(
        'grad: the function must return a tensor of one element, got shape [2]; reduce it with mean or sum, or use vjp',
      )
    })
  })
})
