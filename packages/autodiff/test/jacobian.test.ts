import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

const numbers = (x: t.Tensor): number[] => Array.from(x.toFloat32Array())

/** The Jacobian row by row: one pullback for each element of what comes out. */
function byRows(f: (x: t.Tensor) => t.Tensor, x: t.Tensor): number[] {
  const y = f(x)
  return Array.from({ length: y.size }, (_, i) => {
    const row = t.tensor(
      Array.from({ length: y.size }, (_, k) => (k === i ? 1 : 0)),
      y.shape,
    )
    return numbers(t.vjp(f, x, row).gradients)
  }).flat()
}

const functions: Readonly<Record<string, (x: t.Tensor) => t.Tensor>> = {
  softmax: (x) => t.softmax(x),
  'a matrix product': (x) => t.matmul(t.reshape(x, [2, 3]), t.reshape(x, [3, 2])),
  'a layer norm': (x) => t.layerNorm(x, t.ones([6]), t.zeros([6])),
  'a gradient': t.grad((x: t.Tensor) => t.sum(t.mul(t.tanh(x), t.sum(t.square(x))))),
  'a scan': (x) =>
    t.scan(
      (carry: t.Tensor, row: t.Tensor) => ({ carry: t.tanh(t.add(carry, row)), y: t.mul(carry, row) }),
      t.tensor(0.5),
      x,
    ).ys,
  'a checkpoint': t.checkpoint((x: t.Tensor) => t.mul(t.exp(x), t.flip(x))),
  'a cumulative product': (x) => t.cumProd(x),
}

describe('jacobian', () => {
  for (const [name, f] of Object.entries(functions)) {
    it(`of ${name} is that of pullbacks row by row, eager and compiled`, () => {
      t.scope(() => {
        const x = t.tensor([0.5, -1, 2, 0.25, 1.5, -0.75])
        const y = f(x)
        const found = t.jacobian(f)(x)
        expect(found.shape).toEqual([...y.shape, 6])
        const expected = byRows(f, x)
        for (const [i, value] of numbers(found).entries()) expect(value).toBeCloseTo(expected[i]!, 5)
        expect(numbers(t.compile(t.jacobian(f))(x))).toEqual(numbers(found))
      })
    })
  }

  it('has a tree like the input for each tensor that comes out', () => {
    const f = (p: { w: t.Tensor; b: t.Tensor; rate: number }, x: t.Tensor, name: string) => ({
      [name]: [t.mul(t.matmul(x, p.w), p.rate), t.sum(p.b)],
      none: null,
    })
    const p = {
      w: t.tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      b: t.tensor([1, 2]),
      rate: 3,
    }
    const found = t.jacobian(f)(p, t.tensor([1, 10, 100]), 'y')
    expect(found['none']).toBe(null)
    const [y, total] = found['y'] as [typeof p, typeof p]
    expect(y.w.toArray()).toEqual([
      [
        [3, 0],
        [30, 0],
        [300, 0],
      ],
      [
        [0, 3],
        [0, 30],
        [0, 300],
      ],
    ])
    expect(y.b.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(y.rate).toBe(3)
    expect(total.w.shape).toEqual([3, 2])
    expect(total.b.toArray()).toEqual([1, 1])
  })

  it('is zeros for constants, ones for the identity, and has its shape where something is empty', () => {
    expect(
      t
        .jacobian((x: t.Tensor) => t.ones([x.size - 1]))(t.ones([3]))
        .toArray(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(
      t
        .jacobian((x: t.Tensor) => x)(t.ones([2]))
        .toArray(),
    ).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(t.jacobian((x: t.Tensor) => t.reshape(x, [0, 5]))(t.zeros([0])).shape).toEqual([0, 5, 0])
    expect(t.jacobian((x: t.Tensor) => t.add(t.sum(x), t.ones([2])))(t.zeros([0])).shape).toEqual([2, 0])
    expect(t.jacobian((x: t.Tensor) => t.slice(x, 0, 0))(t.ones([4])).shape).toEqual([0, 4])
  })

  it('of the third order is that of a cubic form', () => {
    // f = (x0^2 x1, x1^3), whose third derivatives are constant.
    const f = (x: t.Tensor): t.Tensor => {
      const [a, b] = [t.slice(x, 0, 1), t.slice(x, 1, 2)]
      return t.concat([t.mul(t.square(a), b), t.mul(b, t.square(b))])
    }
    const third = t.jacobian(t.jacobian(t.jacobian(f)))
    const expected = [
      [
        [
          [0, 2],
          [2, 0],
        ],
        [
          [2, 0],
          [0, 0],
        ],
      ],
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 6],
        ],
      ],
    ]
    expect(third(t.tensor([3, -2])).toArray()).toEqual(expected)
    expect(
      t
        .compile(third)(t.tensor([3, -2]))
        .toArray(),
    ).toEqual(expected)
  })

  it('can be differentiated: the gradient of the squared Jacobian of x^2 is 8 x', () => {
    const f = (x: t.Tensor): t.Tensor => t.sum(t.square(t.jacobian((y: t.Tensor) => t.square(y))(x)))
    expect(
      t
        .grad(f)(t.tensor([1, -2]))
        .toArray(),
    ).toEqual([8, -16])
  })

  it('takes gradients by what the function uses from closures', () => {
    const f = (w: t.Tensor): t.Tensor =>
      t.sum(t.jacobian((x: t.Tensor) => t.mul(w, t.square(x)))(t.tensor([1, 2])))
    expect(
      t
        .grad(f)(t.tensor([5, 7]))
        .toArray(),
    ).toEqual([2, 4])
  })

  it('leaves nothing in the heap but what it returns', () => {
    const x = t.tensor([1, 2, 3])
    const before = t.memory()
    const made = t.jacobian((y: t.Tensor) => ({ a: t.softmax(y), b: y, c: t.tensor(1) }))(x)
    expect(t.memory().tensors - before.tensors).toBe(3)
    for (const one of t.leaves(made)) one.dispose()
    expect(() => t.jacobian((y: t.Tensor) => t.tensor(y.item()))(x)).toThrow(RangeError)
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  })
})

describe('hessian', () => {
  it('of a quadratic form x A x / 2 is A, eager and compiled, and its gradient by x is zero', () => {
    const a = t.tensor([
      [2, -1, 0],
      [-1, 3, 4],
      [0, 4, 5],
    ])
    const f = (x: t.Tensor): t.Tensor => t.mul(t.sum(t.mul(x, t.matmul(a, x))), 0.5)
    const x = t.tensor([1, -2, 0.5])
    expect(t.hessian(f)(x).toArray()).toEqual(a.toArray())
    expect(t.compile(t.hessian(f))(x).toArray()).toEqual(a.toArray())
    expect(
      t
        .grad((y: t.Tensor) => t.sum(t.hessian(f)(y)))(x)
        .toArray(),
    ).toEqual([0, 0, 0])
  })

  it('is a tree of trees, with the rest of the arguments passed on and what is handed out dropped', () => {
    const f = (p: { a: t.Tensor; b: t.Tensor[] }, scale: number) => ({
      value: t.mul(t.sum(t.mul(t.square(p.a), p.b[0]!)), scale),
      aux: p.a,
    })
    const { a, b } = t.hessian(f)({ a: t.tensor([1, 2]), b: [t.tensor(3)] }, 10)
    expect(a.a.toArray()).toEqual([
      [60, 0],
      [0, 60],
    ])
    expect(a.b[0]!.toArray()).toEqual([20, 40])
    expect(b[0]!.a.toArray()).toEqual([20, 40])
    expect(b[0]!.b[0]!.item()).toBe(0)
  })

  it('refuses a value of more than one element', () => {
    expect(() => t.hessian((x: t.Tensor) => x)(t.tensor([1, 2]))).toThrow(
      'grad: the function must return a tensor of one element, got shape [2]; reduce it with mean or sum, or use vjp',
    )
    expect(() => t.hessian(3 as never)).toThrow(
      'hessian: a function is needed, got a number; pass x => … instead of its result',
    )
  })
})
