import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

const number = (x: t.Tensor): number => x.item()

describe('gradients', () => {
  it('have the structure of the first argument, keys and numbers left alone', () => {
    const f = (p: { w: t.Tensor; deep: { b: t.Tensor }[]; rate: number; nothing: null }) =>
      t.sum(t.add(t.mul(p.w, p.rate), p.deep[0]!.b))
    const gradients = t.grad(f)({ w: t.tensor([1, 2]), deep: [{ b: t.tensor(3) }], rate: 5, nothing: null })
    expect(gradients.w.toArray()).toEqual([5, 5])
    expect(gradients.deep[0]!.b.item()).toBe(2)
    expect(gradients.rate).toBe(5)
    expect(gradients.nothing).toBe(null)
  })

  it('are zeros for inputs that the value does not depend on', () => {
    const gradients = t.grad((p: { used: t.Tensor; unused: t.Tensor }) => t.sum(p.used))({
      used: t.tensor([1]),
      unused: t.ones([2, 2]),
    })
    expect(gradients.unused.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('come with the value and what the function hands out', () => {
    const { value, gradients, aux } = t.valueAndGrad((x: t.Tensor) => {
      const doubled = t.mul(x, 2)
      return { value: t.sum(doubled), aux: { doubled } }
    })(t.tensor([1, 2]))
    expect(value.item()).toBe(6)
    expect(gradients.toArray()).toEqual([2, 2])
    expect(aux.doubled.toArray()).toEqual([2, 4])
  })

  it('refuse a value of more than one element, in exact words', () => {
    expect(() => t.grad((x: t.Tensor) => x)(t.tensor([1, 2]))).toThrow(
      'grad: the function must return a tensor of one element, got shape [2]; reduce it with mean or sum, or use vjp',
    )
    expect(() => t.grad(() => 3 as unknown as t.Tensor)(t.tensor([1, 2]))).toThrow(
      'grad: the function must return a tensor of one element, got a number; return a loss, or { value, aux }',
    )
  })

  it('of a value used twice add up', () => {
    expect(number(t.grad((x: t.Tensor) => t.add(t.mul(x, x), t.mul(x, 3)))(t.tensor(5)))).toBe(13)
  })

  it('for two names of one tensor are two tensors', () => {
    const w = t.tensor([1, 2])
    const { a, b } = t.grad((p: { a: t.Tensor; b: t.Tensor }) => t.sum(t.add(p.a, p.b)))({ a: w, b: w })
    a.dispose()
    expect(b.toArray()).toEqual([1, 1])
  })

  it('of the identity are one, and the value is a tensor of its own', () => {
    const x = t.tensor(3)
    const { value, gradients } = t.valueAndGrad((y: t.Tensor) => y)(x)
    value.dispose()
    expect(number(gradients)).toBe(1)
    expect(number(x)).toBe(3)
  })
})

describe('higher derivatives', () => {
  const quartic = (x: t.Tensor) => t.square(t.square(x))

  it('of x^4 are 4x^3, 12x^2, 24x and 24', () => {
    const first = t.grad(quartic)
    const second = t.grad(first)
    const third = t.grad(second)
    const fourth = t.grad(third)
    const x = t.tensor(3)
    expect([first, second, third, fourth].map((f) => number(f(x)))).toEqual([108, 108, 72, 24])
  })

  it('of the exponential, tanh and sigmoid agree with their closed forms to the third', () => {
    const x = 0.3
    const th = Math.tanh(x)
    const s = 1 / (1 + Math.exp(-x))
    const third = (f: (x: t.Tensor) => t.Tensor) => number(t.grad(t.grad(t.grad(f)))(t.tensor(x)))
    expect(third(t.exp)).toBeCloseTo(Math.exp(x), 5)
    expect(third(t.tanh)).toBeCloseTo((1 - th * th) * (6 * th * th - 2), 5)
    expect(third(t.sigmoid)).toBeCloseTo(s * (1 - s) * (1 - 6 * s + 6 * s * s), 5)
    expect(third(t.log)).toBeCloseTo(2 / x ** 3, 2)
  })

  it('mixed partials agree in either order', () => {
    const f = (x: t.Tensor, y: t.Tensor) => t.mul(t.exp(t.mul(x, y)), t.square(y))
    const dxdy = (x: t.Tensor, y: t.Tensor) => t.grad((b: t.Tensor) => t.grad((a: t.Tensor) => f(a, b))(x))(y)
    const dydx = (x: t.Tensor, y: t.Tensor) => t.grad((a: t.Tensor) => t.grad((b: t.Tensor) => f(a, b))(y))(x)
    const [x, y] = [t.tensor(0.5), t.tensor(1.25)]
    const expected = Math.exp(0.625) * (3 * 1.25 ** 2 + 0.5 * 1.25 ** 3)
    expect(number(dxdy(x, y))).toBeCloseTo(expected, 4)
    expect(number(dydx(x, y))).toBeCloseTo(expected, 4)
  })

  it('do not confuse perturbations of nested functions', () => {
    // d/dx [x * d/dy (x + y)] = 1, and d/dx [x * d/dy (x * y)] = 2x (Siskind & Pearlmutter 2005).
    const inner = (combine: (a: t.Tensor, b: t.Tensor) => t.Tensor) => (x: t.Tensor) =>
      t.mul(x, t.grad((y: t.Tensor) => combine(x, y))(t.tensor(2)))
    expect(number(t.grad(inner(t.add))(t.tensor(5)))).toBe(1)
    expect(number(t.grad(inner(t.mul))(t.tensor(5)))).toBe(10)
  })

  it('through an inner gradient of a shared variable are right', () => {
    // f(x) = d/dy [y^2 x] at y = x, so f = 2x^2 and f' = 4x; f'' = 4.
    const f = (x: t.Tensor) => t.grad((y: t.Tensor) => t.mul(t.square(y), x))(x)
    expect(number(t.grad(f)(t.tensor(3)))).toBe(12)
    expect(number(t.grad(t.grad(f))(t.tensor(3)))).toBe(4)
  })

  it('of a gradient-norm penalty equal those written out', () => {
    // p(w) = sum((dL/dw)^2), L = sum(w^3) / 3: dL/dw = w^2, p = sum(w^4), dp/dw = 4 w^3
    const loss = (w: t.Tensor) => t.div(t.sum(t.mul(w, t.square(w))), 3)
    const penalty = (w: t.Tensor) => t.sum(t.square(t.grad(loss)(w)))
    const result = t
      .grad(penalty)(t.tensor([1, -2, 0.5]))
      .toFloat32Array()
    for (const [i, expected] of [4, -32, 0.5].entries()) expect(result[i]).toBeCloseTo(expected, 4)
  })

  it('of a value that leaked out of its transform treat it as a constant', () => {
    let leaked: t.Tensor | undefined
    t.scope(() => {
      t.grad((x: t.Tensor) => {
        leaked = t.mul(x, 2)
        return leaked
      })(t.tensor(3))
    })
    expect(() => t.add(leaked!, 1)).toThrow(
      'add: a tensor of shape [] was used after it was disposed; keep it by returning it from the scope that made it',
    )
  })
})

describe('vjp', () => {
  it('pulls a cotangent tree back', () => {
    const f = (p: { x: t.Tensor }) => ({ double: t.mul(p.x, 2), square: t.square(p.x) })
    const { value, gradients } = t.vjp(
      f,
      { x: t.tensor([1, 2]) },
      { double: t.ones([2]), square: t.tensor([10, 100]) },
    )
    expect(value.square.toArray()).toEqual([1, 4])
    expect(gradients.x.toArray()).toEqual([22, 402])
  })

  it('refuses cotangents of another shape or number', () => {
    expect(() => t.vjp((x: t.Tensor) => x, t.tensor([1]), t.tensor([1, 2]))).toThrow(
      "vjp: the cotangent must have the value's shape [1], got [2]",
    )
  })

  it('is itself differentiable, in the inputs and in the cotangent', () => {
    const f = (x: t.Tensor) => t.sum(t.vjp((y: t.Tensor) => t.mul(t.square(y), y), x, x).gradients)
    // cotangent x times 3x^2: 3x^3, derivative 9x^2
    expect(
      t
        .grad(f)(t.tensor([1, 2]))
        .toArray(),
    ).toEqual([9, 36])
  })
})
