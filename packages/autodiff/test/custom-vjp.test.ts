import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { checkGradient, referenceValues } from '../src/testing.ts'
import { expectEager, leftBy, nothing, refusal } from './compile-law.ts'
import { expectClose } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

type P = { readonly a: t.Tensor; readonly b: t.Tensor }

const at = (): P => ({ a: t.tensor([0.5, -1, 2]), b: t.tensor([1.5]) })

const exponential = (x: t.Tensor): t.Tensor =>
  t.customVjp(
    (y: t.Tensor) => t.exp(y),
    (g, y) => t.mul(g, y),
  )(x)

const several = t.customVjp(
  ({ a, b }: P) => ({ sum: t.add(a, b), both: [t.mul(a, b), t.square(b)], none: null, size: 3 }),
  ({ sum, both }, _, { a, b }) => ({
    a: t.add(sum, t.mul(both[0]!, b)),
    b: t.add(
      t.sum(t.add(sum, t.mul(both[0]!, a)), { axis: 0, keepDims: true }),
      t.mul(t.mul(both[1]!, b), 2),
    ),
  }),
)

const noise = (key: t.Key, shape: t.Shape): t.Tensor => t.normal(key, shape)

/** Functions with rules of their own, and the same without: gradients of every order agree. */
const pairs: Readonly<Record<string, readonly [custom: (p: P) => t.Tree, plain: (p: P) => t.Tree]>> = {
  'of one tensor, by its value': [({ a }) => exponential(a), ({ a }) => t.exp(a)],
  'of what is computed, and computed with': [
    ({ a, b }) => t.tanh(t.mul(exponential(t.mul(a, b)), a)),
    ({ a, b }) => t.tanh(t.mul(t.exp(t.mul(a, b)), a)),
  ],
  'of one inside of another': [
    ({ a }) =>
      t.customVjp(
        (x: t.Tensor) => t.tanh(exponential(x)),
        (g, y, x) => t.mul(g, t.mul(t.sub(1, t.square(y)), exponential(x))),
      )(a),
    ({ a }) => t.tanh(t.exp(a)),
  ],
  'of trees, to a tree': [
    (p) => several(p),
    ({ a, b }) => ({ sum: t.add(a, b), both: [t.mul(a, b), t.square(b)], none: null, size: 3 }),
  ],
  'of which one result is used': [(p) => several(p).both[1]!, ({ b }) => t.square(b)],
  'with one input given twice': [
    ({ a }) =>
      t.customVjp(
        ([x, y]: readonly [t.Tensor, t.Tensor]) => t.mul(x, y),
        (g, _, [x, y]) => [t.mul(g, y), t.mul(g, x)] as const,
      )([a, a]),
    ({ a }) => t.square(a),
  ],
  'with a number, null and a key': [
    ({ a }) =>
      t.customVjp(
        (p: { a: t.Tensor; by: number; none: null; key: t.Key }) =>
          t.mul(t.mul(t.square(p.a), p.by), noise(p.key, [3])),
        (g, _, p) => ({
          a: t.mul(t.mul(g, t.mul(p.a, 2 * p.by)), noise(p.key, [3])),
          by: p.by,
          none: p.none,
          key: p.key,
        }),
      )({ a, by: 1.5, none: null, key: t.key(3) }),
    ({ a }) => t.mul(t.mul(t.square(a), 1.5), noise(t.key(3), [3])),
  ],
  'that gives null for a part': [
    ({ a, b }) =>
      t.customVjp(
        (p: { deep: { x: t.Tensor }; c: readonly t.Tensor[] }) => t.mul(p.deep.x, p.c[0]!),
        (g, _, p) => ({ deep: { x: t.mul(g, t.stopGradient(p.c[0]!)) }, c: null }),
      )({ deep: { x: a }, c: [b] }),
    ({ a, b }) => t.mul(a, t.stopGradient(b)),
  ],
  'in a checkpoint': [
    ({ a, b }) => t.checkpoint((x: t.Tensor, y: t.Tensor) => exponential(t.mul(x, y)))(a, b),
    ({ a, b }) => t.exp(t.mul(a, b)),
  ],
  'in a scan, with the keys of its steps': [
    ({ a, b }) => inScan(a, b, (p) => customStep(p)),
    ({ a, b }) => inScan(a, b, ({ c, key }) => t.mul(t.square(c), noise(key, [1]))),
  ],
}

interface Step {
  readonly c: t.Tensor
  readonly key: t.Key
}

const customStep = t.customVjp(
  ({ c, key }: Step) => t.mul(t.square(c), noise(key, [1])),
  (g, _, { c, key }) => ({ c: t.mul(g, t.mul(t.mul(c, 2), noise(key, [1]))), key }),
)

function inScan(a: t.Tensor, b: t.Tensor, step: (p: Step) => t.Tensor): t.Tree {
  const body = (c: t.Tensor, { x, key }: { x: t.Tensor; key: t.Key }) => {
    const next = t.tanh(t.add(step({ c, key }), x))
    return { carry: next, y: next }
  }
  return t.scan(body, b, { x: a, key: t.key(5) })
}

const total = (tree: t.Tree): t.Tensor =>
  t.leaves(tree).reduce((sum, x, i) => t.add(sum, t.sum(t.mul(x, i + 0.5))), t.tensor(0))

/** The gradient of the sum of gradients, so many times. */
const derivative =
  (f: (p: P) => t.Tree, order: number) =>
  (p: P): t.Tree =>
    order === 0 ? f(p) : (t.grad((q: P) => total(derivative(f, order - 1)(q)))(p) as unknown as t.Tree)

describe.each(Object.entries(pairs))('customVjp %s', (_, [custom, plain]) => {
  it('has values and derivatives of three orders like the function without', () => {
    for (const order of [0, 1, 2, 3]) {
      const left = leftBy(() =>
        t.scope(() => expectClose(derivative(custom, order)(at()), derivative(plain, order)(at()), 1e-5)),
      )
      expect(left, `order ${order}`).toEqual(nothing)
    }
  })

  it('gives the same bits compiled, and leaves nothing', () => {
    for (const order of [0, 1, 2, 3])
      expectEager(derivative(custom, order), () => [at()], {}, `order ${order}`)
  })

  it('has the derivative of the function without along a direction', () => {
    t.scope(() => {
      const along = { a: t.tensor([1, -2, 0.5]), b: t.tensor([3]) }
      const push = (f: (p: P) => t.Tree) => (p: P) => t.leaves(t.jvp(f, p, along).tangent)
      expectClose(push(custom)(at()), push(plain)(at()), 1e-5)
    })
    expectEager(
      (p: P, along: P) => t.jvp(custom, p, along),
      () => [at(), at()],
    )
  })

  it('is evaluated in double precision by what it is made of', () => {
    t.scope(() => {
      const [found, expected] = [custom, plain].map((f) => referenceValues((p: P) => total(f(p)), at()))
      expect(found![0]!.values[0]).toBeCloseTo(expected![0]!.values[0]!, 9)
    })
  })
})

describe('customVjp', () => {
  it('passes a check of gradients where its rule is right, and fails where it is not', () => {
    t.scope(() => {
      expect(checkGradient(exponential, t.tensor([0.5, 1])).maxError).toBeLessThan(1e-6)
      const half = t.customVjp(
        (x: t.Tensor) => t.square(x),
        (g, _, x) => t.mul(g, x),
      )
      expect(checkGradient(half, t.tensor([0.5, 1]))).toMatchObject({ ok: false })
    })
  })

  it('calls its rule once for each gradient, and not for values', () => {
    let calls = 0
    const counting = t.customVjp(
      (x: t.Tensor) => t.exp(x),
      (g, y) => {
        calls++
        return t.mul(g, y)
      },
    )
    t.scope(() => counting(t.tensor(1)))
    expect(calls).toBe(0)
    t.scope(() => t.grad(counting)(t.tensor(1)))
    expect(calls).toBe(1)
  })

  it('keeps for a gradient nothing that its function makes on the way', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const long = t.customVjp(
          (x: t.Tensor) => Array.from({ length: 50 }).reduce<t.Tensor>((y) => t.tanh(y), x),
          (g) => g,
        )
        t.grad((x: t.Tensor) => {
          const before = t.memory().bytes
          const y = long(x)
          expect(t.memory().bytes - before).toBe(4 * 1024)
          return t.sum(y)
        })(t.ones([1024]))
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('gives no gradient to what its function uses beside its inputs', () => {
    t.scope(() => {
      const f = (w: t.Tensor): t.Tensor =>
        t.customVjp(
          (x: t.Tensor) => t.mul(x, w),
          (g) => t.mul(g, 10),
        )(t.square(w))
      expect(t.grad(f)(t.tensor(3)).item()).toBe(60)
    })
  })

  it('gives zeros where nothing depends on a result, and passes results through that are no tensors', () => {
    t.scope(() => {
      let seen: unknown
      const f = t.customVjp(
        (x: t.Tensor) => ({ first: t.mul(x, 2), second: t.mul(x, 3), none: null, size: 2 }),
        (g, value) => {
          seen = { ...t.mapTensors(g, (x) => x.toArray()), value: t.mapTensors(value, (x) => x.toArray()) }
          return g.second
        },
      )
      const gradient = t.grad((x: t.Tensor) => t.sum(f(x).second))(t.tensor([1, 2]))
      expect(gradient.toArray()).toEqual([1, 1])
      expect(seen).toEqual({
        first: [0, 0],
        second: [1, 1],
        none: null,
        size: 2,
        value: { first: [2, 4], second: [3, 6], none: null, size: 2 },
      })
    })
  })

  it('hands out a gradient of its own where its rule gives what it was given', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const half = t.customVjp(
          (x: t.Tensor) => t.sum(t.div(t.square(x), 2)),
          (_, __, x) => x,
        )
        const x = t.tensor([1, 2])
        const gradient = t.grad(half)(x)
        x.dispose()
        expect(gradient.toArray()).toEqual([1, 2])
        gradient.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('takes a number that is an argument of a program', () => {
    const scaled = t.customVjp(
      (p: { x: t.Tensor; by: number }) => t.mul(p.x, p.by),
      (g, _, p) => ({ x: t.mul(g, p.by), by: p.by }),
    )
    const step = (x: t.Tensor, by: number): t.Tensor =>
      t.grad((y: t.Tensor) => t.sum(scaled({ x: y, by })))(x)
    expectEager(step, () => [t.tensor([1, 2]), 2.5])
  })

  it('is as good as the function where nothing is differentiated', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const x = t.tensor([1, 2])
        const same = t.customVjp(
          (y: t.Tensor) => y,
          (g) => g,
        )(x)
        x.dispose()
        expect(same.toArray()).toEqual([1, 2])
      }),
    )
    expect(left).toEqual(nothing)
  })
})

describe('what customVjp refuses', () => {
  const given = (): { a: t.Tensor; list: t.Tensor[] } => ({ a: t.ones([2]), list: [t.ones([3])] })
  const by = (rule: () => unknown) => () =>
    t.grad(t.customVjp((p: ReturnType<typeof given>) => t.sum(p.a), rule as () => null))(given())
  const notAFunction = 3 as unknown as () => t.Tensor

  it.each<[string, () => unknown]>([
    [
      'TypeError: customVjp: a function is needed, got a number; pass x => … instead of its result',
      () => t.customVjp(notAFunction, notAFunction),
    ],
    [
      'TypeError: customVjp: a function is needed, got a number; pass x => … instead of its result',
      () => t.customVjp(() => t.ones([]), notAFunction as never),
    ],
    [
      "RangeError: customVjp: the gradient at 'a' must have its input's shape [2], got [3]",
      by(() => ({ a: t.ones([3]), list: null })),
    ],
    [
      "RangeError: customVjp: the gradient at 'list.0' must have its input's shape [3], got []",
      by(() => ({ a: null, list: [t.tensor(1)] })),
    ],
    [
      "TypeError: customVjp: the gradient at 'list.0' must be a tensor of shape [3] or null, got undefined; null stands for none",
      by(() => ({ a: null, list: [] })),
    ],
    [
      "TypeError: customVjp: the gradient at 'a' must be a tensor of shape [2] or null, got a number; null stands for none",
      by(() => ({ a: 1, list: null })),
    ],
    [
      "TypeError: customVjp: the gradients at 'list' must be an array or null, got a Tensor; match the structure of the inputs",
      by(() => ({ a: null, list: t.ones([3]) })),
    ],
    [
      'TypeError: customVjp: the gradients must be an object or null, got a Tensor; match the structure of the inputs',
      by(() => t.ones([2])),
    ],
    [
      "RangeError: customVjp: there is a gradient at 'b', where the inputs have nothing; match the structure of the inputs",
      by(() => ({ a: null, list: null, b: t.ones([2]) })),
    ],
    [
      "RangeError: customVjp: there is a gradient at 'list.1', where the inputs have nothing; match the structure of the inputs",
      by(() => ({ a: null, list: [null, null] })),
    ],
    [
      'TypeError: customVjp: the function is asynchronous; await outside, and pass a synchronous function',
      by(async () => null),
    ],
    [
      "RangeError: customVjp: the gradient must have its input's shape [2], got [3]",
      () =>
        t.grad((x: t.Tensor) =>
          t.sum(
            t.customVjp(
              (y: t.Tensor) => t.exp(y),
              () => t.ones([3]),
            )(x),
          ),
        )(t.ones([2])),
    ],
  ])('%s', (message, call) => {
    const left = leftBy(() => t.scope(() => expect(refusal(call)).toBe(message)))
    expect(left).toEqual(nothing)
  })
})

describe('a straight-through estimator', () => {
  // Weights of -1 and 1, trained by real ones behind them: the sign has no gradient of its own.
  const binary = t.customVjp(
    (w: t.Tensor) => t.sub(t.mul(t.greaterEqual(w, 0), 2), 1),
    (g) => g,
  )
  const target = [1, -1, -1, 1, 1, -1, 1, -1]
  const loss = (w: t.Tensor, x: t.Tensor): t.Tensor =>
    t.mean(t.square(t.sub(t.matmul(x, t.reshape(binary(w), [8, 1])), t.matmul(x, t.tensor(target, [8, 1])))))

  it('learns weights that are rounded, where the gradient of rounding learns nothing', () => {
    t.scope(() => {
      const x = t.normal(t.key(1), [32, 8])
      const start = t.mul(t.normal(t.key(2), [8]), 0.1)
      expect(loss(start, x).item()).toBeGreaterThan(1)
      const step = t.compile((w: t.Tensor) => t.sub(w, t.mul(t.grad(loss)(w, x), 0.01)))
      const end = t.fold(start, Array.from({ length: 100 }), (w) => step(w))
      expect(binary(end).toArray()).toEqual(target)
      expect(loss(end, x).item()).toBe(0)
      step.dispose()
      const rounded = t.grad((w: t.Tensor) => t.sum(t.round(w)))(start)
      expect(rounded.toFloat32Array().every((value) => value === 0)).toBe(true)
    })
  })
})
