import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { bitsOf, counted, eagerly, expectEager, leftBy, nothing, refusal } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

// Not an interface: those are no trees to the type checker.
type Params = { readonly w: t.Tensor; readonly b: t.Tensor }
type Loss = (p: Params, x: t.Tensor) => t.Tensor
type Transform = (f: Loss) => (p: Params, x: t.Tensor) => unknown

const layer: Loss = ({ w, b }, x) => t.tanh(t.add(t.matmul(x, w), b))
const losses: Readonly<Record<string, Loss>> = {
  'a network': (p, x) => t.mean(t.square(layer(p, x))),
  'with labels': ({ w, b }, x) => {
    const logits = t.logSoftmax(t.add(t.matmul(x, w), b))
    return t.neg(t.mean(t.mul(logits, t.oneHot(t.argMax(logits, { axis: 1 }), 2))))
  },
  'with scopes and folds': ({ w, b }, x) =>
    t.scope(() =>
      t.sum(
        t.fold(t.matmul(x, w), [0.5, 2], (carry, rate) =>
          t.scope(() => t.tanh(t.add(t.mul(carry, rate), b))),
        ),
      ),
    ),
  'a gradient inside': (p, x) =>
    t.sum(t.square(t.grad((q: Params) => t.sum(t.exp(t.mul(layer(q, x), 0.3))))(p).w)),
  'views and rows': ({ w, b }, x) =>
    t.add(
      t.sum(t.mul(t.slice(w, 1), t.reshape(b, [1, 2]))),
      t.mean(t.gather(t.transpose(x), t.tensor([2, 0, 2]))),
    ),
  'no use of the parameters': (_, x) => t.sum(x),
}

const args = () =>
  [
    {
      w: t.tensor([
        [0.1, -0.2],
        [0.3, 0.7],
        [-1.1, 0.2],
      ]),
      b: t.tensor([0.01, -0.5]),
    },
    t.tensor([
      [1, 2, 3],
      [-0.5, 0.25, 2],
      [0, 1, 0],
      [3, 1, -2],
    ]),
  ] as const
const like = (p: Params): Params => t.mapTensors(p, (x) => t.full(x.shape, 0.5))

const transforms: Readonly<Record<string, Transform>> = {
  value: (f) => f,
  grad: (f) => t.grad(f),
  'valueAndGrad, with what is handed out beside': (f) =>
    t.valueAndGrad((p: Params, x: t.Tensor) => {
      const value = f(p, x)
      return { value, aux: { p, again: value, twice: t.mul(value, 2) } }
    }),
  'the gradient by another argument': (f) => (p, x) => t.grad((y: t.Tensor) => f(p, y))(x),
  vjp: (f) => (p, x) => t.vjp((q: Params) => ({ y: f(q, x), q }), p, { y: t.tensor(3), q: like(p) }),
  'second order': (f) => (p, x) =>
    t.grad((q: Params) => t.zipTensors([t.grad(f)(q, x), like(p)], (g, v) => t.sum(t.mul(g, v))).w)(p),
  'third order': (f) => (p, x) => {
    const norm = (g: Loss) => (q: Params) => t.sum(t.square(t.grad(g)(q, x).b))
    return t.grad((q: Params) => norm((r) => norm((s) => f(s, x))(r))(q))(p)
  },
  'a step': (f) => (p, x) => t.zipTensors([p, t.grad(f)(p, x)], (w, g) => t.sub(w, t.mul(g, 0.1))),
  'a gradient through steps': (f) => (p, x) =>
    t.grad((q: Params) =>
      f(
        t.fold(q, [1, 2], (r) => t.zipTensors([r, t.grad(f)(r, x)], (w, g) => t.sub(w, t.mul(g, 0.1)))),
        x,
      ),
    )(p),
  'a scope': (f) => (p, x) => t.scope(() => [f(p, x), t.grad(f)(p, x)]),
  checkpoint: (f) => (p, x) => t.grad(t.checkpoint(f))(p, x),
  'a scan': (f) => (p, x) =>
    t.grad((q: Params) => {
      const rows = t.reshape(x, [2, 2, 3])
      return t.scan(
        (sum: t.Tensor, row: t.Tensor) => ({ carry: t.add(sum, f(q, row)), y: null }),
        t.tensor(0),
        rows,
      ).carry
    })(p),
  'parameters in a closure': (f) => (p, x) => t.grad((q: Params) => ((y: t.Tensor) => f(q, y))(x))(p),
}

describe.each(Object.entries(losses))('%s', (_, f) => {
  // The compiled function stands for the function wherever it stands, and whatever of it is compiled again.
  it.each(Object.entries(transforms))('%s of a compiled function, compiled, and both', (_name, transform) => {
    const inner = t.compile(f)
    const donating = t.compile(f, { donate: [0, 1], reuse: true })
    expectEager(transform(f), args)
    const expected = eagerly(transform(f), args)
    const left = leftBy(() => {
      for (const outer of [
        transform(t.compile(t.compile(f))),
        transform((p, x) => t.compile((y: t.Tensor) => f(p, y))(x)),
        transform((p, x) => t.compile(() => f(p, x))()),
      ]) {
        t.scope(() => expect(bitsOf(outer(...args()))).toEqual(expected))
        expectEager(outer, args)
      }
    })
    expect(left.tensors).toBe(0)
    expectEager(transform(inner), args)
    // On traced values nothing is donated, nor used again.
    expectEager(t.compile(transform(donating)), args)
    inner.dispose()
    donating.dispose()
  })
})

describe('a value of a tape around in a closure', () => {
  const x = t.tensor([1, 2, 3])
  const square = (y: t.Tensor) => t.mul(y, y)

  it('makes the gradient that it makes without compile, to second order, and is no constant', () => {
    const through = (run: (f: () => t.Tensor) => t.Tensor) => (y: t.Tensor) =>
      t.sum(run(() => t.mul(square(y), y)))
    const compiled = through((f) => t.compile(f)())
    const plain = through((f) => f())
    for (const at of [t.tensor([1, 2]), t.tensor([-3, 0.5])]) {
      const first = (f: typeof plain) => t.grad(f)(at)
      const second = (f: typeof plain) => t.grad((z: t.Tensor) => t.sum(t.grad(f)(z)))(at)
      expect(bitsOf(first(compiled))).toEqual(bitsOf(first(plain)))
      expect(bitsOf(second(compiled))).toEqual(bitsOf(second(plain)))
    }
  })

  it('is found where it is only returned, only read by a line that nobody needs, or a number or a key', () => {
    const p = t.tensor([2, 5])
    const returned = t.grad((y: t.Tensor) => t.sum(t.compile(() => ({ a: [y] }))().a[0]!))
    expect(returned(p).toArray()).toEqual([1, 1])
    const unneeded = t.compile((y: t.Tensor) => {
      t.grad((z: t.Tensor) => t.sum(t.mul(z, y)))(p)
      return y
    })
    expect(
      t
        .grad((y: t.Tensor) => t.sum(t.compile(() => unneeded(y))()))(p)
        .toArray(),
    ).toEqual([1, 1])
    expectEager(
      (n: number, k: t.Key, y: t.Tensor) => {
        const inner = t.compile((z: t.Tensor) => ({ product: t.mul(z, n), drawn: t.uniform(k, [2]), n, k }))
        return [inner(t.tensor([1, 2])), inner(y)]
      },
      () => [3, t.key(9), t.tensor([4, 5])],
    )
  })

  it('is found where it is a key that is only returned', () => {
    expectEager(
      (k: t.Key, y: t.Tensor) => [
        t.compile((z: t.Tensor) => ({ z, k: t.split(k)[1]! }))(t.tensor([1])),
        t.compile(() => k)(),
        y,
      ],
      () => [t.key(9), t.tensor([4, 5])],
    )
  })

  it('does not stay: once its tape is closed, the function has a program', () => {
    const scale = { by: t.tensor(2) }
    const { f, runs } = counted((y: t.Tensor) => t.mul(y, scale.by))
    const compiled = t.compile(f)
    const gradient = t.grad((by: t.Tensor) => {
      scale.by = by
      return t.sum(compiled(x))
    })
    expect(gradient(t.tensor(7)).item()).toBe(6)
    scale.by = t.tensor(5)
    const before = runs()
    for (let call = 0; call < 3; call++) expect(compiled(x).toArray()).toEqual([5, 10, 15])
    expect(runs() - before).toBe(1)
    compiled.dispose()
  })

  it('has no plan', () => {
    const plan = (y: t.Tensor): t.Tensor => {
      t.compile((z: t.Tensor) => t.mul(z, y)).plan(x)
      return t.sum(y)
    }
    const left = leftBy(() => {
      expect(refusal(() => t.grad(plan)(x))).toBe(
        'RangeError: plan: the function uses a value that is being traced around it: it runs there and has no program of its own; pass the value as an argument',
      )
    })
    expect(left).toEqual(nothing)
  })

  it('that is known to another recording only is refused in keys, by name', () => {
    const mixed = (k: t.Key, y: t.Tensor): t.Tensor =>
      t.compile((n: number) => t.add(y, t.uniform(t.foldIn(k, n), [3])))(1)
    expect(refusal(() => t.compile(mixed)(t.key(1), x))).toBe(
      'RecordingError: foldIn: its arguments belong to two recordings, one inside the other; pass all of them to the inner function',
    )
  })
})

describe('called while something is differentiated', () => {
  const f = (y: t.Tensor, p: { readonly n: number }) => t.mul(t.exp(y), p.n)

  it('with plain values, it runs its program and is a constant there', () => {
    const { f: counting, runs } = counted(f)
    const compiled = t.compile(counting)
    const x = t.tensor([1, 2])
    const gradient = (g: typeof f) => t.grad((y: t.Tensor) => t.sum(t.mul(y, g(x, { n: 2 }))))(x)
    const expected = bitsOf(gradient(f))
    for (let call = 0; call < 3; call++) expect(bitsOf(gradient(compiled))).toEqual(expected)
    expect(runs()).toBe(1)
    compiled.dispose()
  })

  it('with data beside traced values, it takes the data as tensors', () => {
    const batchLoss = (p: t.Tensor, batch: { x: t.Tensor; y: t.Tensor; n: number; s: string }) =>
      t.mul(t.sum(t.square(t.sub(t.mul(p, batch.x), batch.y))), batch.n)
    const compiled = t.compile(batchLoss)
    const numbers = (...list: number[]) => ({ shape: [list.length], values: Float32Array.from(list) })
    const p = t.tensor([1, 2])
    const expected = t.grad(batchLoss)(p, { x: t.tensor([1, 2]), y: t.tensor([3, 5]), n: 2, s: '' })
    const left = leftBy(() => {
      const gradient = t.grad((q: t.Tensor) =>
        compiled(q, { x: numbers(1, 2), y: numbers(3, 5), n: 2, s: '' }),
      )
      t.scope(() => expect(bitsOf(gradient(p))).toEqual(bitsOf(expected)))
    })
    expect(left).toEqual(nothing)
  })

  it('evalShape sees through it', () => {
    const compiled = t.compile((x: t.Tensor, w: t.Tensor) => ({ y: [t.matmul(x, w)] }))
    expect(t.evalShape(compiled, [2, 3], [3, 5])).toEqual({ y: [[2, 5]] })
  })
})
