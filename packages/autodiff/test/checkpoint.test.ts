import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { checkGradient, referenceValues } from '../src/testing.ts'
import { bits, expectClose, leftBy, nothing } from './scan-loop.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

type Checkpoint = typeof t.checkpoint

interface Given {
  readonly w: t.Tensor
  readonly x: t.Tensor
  readonly key: t.Key
}

const given = (seed: number): Given => ({
  w: t.normal(t.key(seed), [3, 3]),
  x: t.normal(t.key(seed + 1), [4, 3]),
  key: t.key(seed + 2),
})

/** Functions with something to be made again; with `(f) => f` for the checkpoint they keep it. */
const functions: Readonly<Record<string, (checkpoint: Checkpoint, on: Given) => t.Tree>> = {
  'of one tensor': (checkpoint, { x }) => checkpoint((v: t.Tensor) => t.tanh(t.mul(v, t.exp(v))))(x),
  'of trees, to a tree': (checkpoint, { w, x }) =>
    checkpoint((p: { w: t.Tensor; none: null }, [v]: readonly [t.Tensor]) => {
      const y = t.matmul(v, p.w)
      return { y, list: [t.tanh(y), p.none], size: 3 }
    })({ w, none: null }, [x]),
  'of numbers, null and a key': (checkpoint, { x, key }) =>
    checkpoint((v: t.Tensor, n: number, none: null, k: t.Key) =>
      t.mul(t.mul(v, n), t.add(t.normal(k, v.shape), none === null ? 1 : 2)),
    )(x, 1.5, null, key),
  'that uses a traced value from around it': (checkpoint, { w, x }) => {
    const v = t.mul(w, 2)
    return checkpoint((y: t.Tensor) => t.tanh(t.matmul(t.tanh(t.matmul(y, v)), w)))(x)
  },
  'whose arguments are used again': (checkpoint, { w, x }) => {
    const f = checkpoint((y: t.Tensor, v: t.Tensor) => t.add(t.mul(y, y), t.tanh(t.matmul(t.mul(y, 0.5), v))))
    const y = f(x, w)
    return [t.add(x, y), t.mul(x, t.sum(w)), f(y, w)]
  },
  'given one tensor twice': (checkpoint, { w }) =>
    checkpoint((a: t.Tensor, b: t.Tensor) => t.matmul(t.tanh(a), t.mul(b, a)))(w, w),
  'that returns its arguments, and views of them': (checkpoint, { w, x }) =>
    checkpoint((a: t.Tensor, b: t.Tensor) => [a, t.reshape(b, [2, 6]), t.slice(b, 1), t.transpose(a)])(w, x),
  'that returns a value twice, and one from around it': (checkpoint, { w, x }) =>
    checkpoint((a: t.Tensor) => {
      const y = t.tanh(a)
      return { a: y, b: [y], c: w }
    })(x),
  'that returns nothing of its own': (checkpoint, { x }) => [
    checkpoint((v: t.Tensor) => (v.rank === 2 ? null : v))(x),
    x,
  ],
  'with a checkpoint inside': (checkpoint, { w, x }) => {
    const inner = checkpoint((y: t.Tensor) => t.tanh(t.matmul(t.sigmoid(y), w)))
    const outer = checkpoint((y: t.Tensor) => t.mul(inner(inner(y)), t.exp(t.neg(t.square(y)))))
    return outer(outer(x))
  },
  'with a gradient inside': (checkpoint, { w, x }) =>
    checkpoint((y: t.Tensor) => t.grad((z: t.Tensor) => t.sum(t.tanh(t.matmul(z, w))))(y))(x),
  'inside of a gradient': (checkpoint, { w, x }) =>
    t.grad((y: t.Tensor) => t.sum(checkpoint((z: t.Tensor) => t.tanh(t.matmul(z, w)))(y)))(x),
  'with a scan inside': (checkpoint, { w, x }) =>
    checkpoint((y: t.Tensor, v: t.Tensor) => {
      const body = (c: t.Tensor, row: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
        const next = t.tanh(t.add(t.matmul(c, v), row))
        return { carry: next, y: next }
      }
      return t.scan(body, t.ones([1, 3]), y).ys
    })(x, w),
  'of what is empty': (checkpoint, { w }) =>
    checkpoint((y: t.Tensor) => t.tanh(t.matmul(y, w)))(t.zeros([0, 3])),
}

const plain: Checkpoint = (f) => f

const total = (tree: t.Tree): t.Tensor =>
  t.leaves(tree).reduce((sum, x, i) => t.add(sum, t.sum(t.mul(x, i + 0.5))), t.tensor(0))

// Where one tensor is several here, sums of three and more are added up in another order.
const severalNames = [
  'that returns its arguments, and views of them',
  'that returns a value twice, and one from around it',
  // Second derivatives.
  'with a gradient inside',
  'inside of a gradient',
]

describe.each(Object.entries(functions))('a checkpoint %s', (name, f) => {
  const loss = (checkpoint: Checkpoint, on: Given): t.Tensor =>
    t.add(total(f(checkpoint, on)), total([t.square(on.w), t.square(on.x)]))
  const gradients = (checkpoint: Checkpoint, { key, ...p }: Given): t.Tree =>
    t.grad((q: typeof p) => loss(checkpoint, { ...q, key }))(p) as unknown as t.Tree
  const check = (found: unknown, expected: unknown): void => {
    if (severalNames.includes(name)) expectClose(found, expected, 1e-6)
    else expect(bits(found)).toEqual(bits(expected))
  }

  it('has the numbers of the function, eager and compiled', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const expected = f(plain, given(1))
        const found = f(t.checkpoint, given(1))
        expect(bits(found)).toEqual(bits(expected))
        expect(t.mapTree(found, (x) => (t.isTensor(x) ? null : x))).toEqual(
          t.mapTree(expected, (x) => (t.isTensor(x) ? null : x)),
        )
        const compiled = t.compile((on: Given) => f(t.checkpoint, on))
        for (let i = 0; i < 2; i++) expect(bits(compiled(given(1)))).toEqual(bits(expected))
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('has the gradients of the function, eager, compiled and through what is compiled', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const expected = gradients(plain, given(2))
        check(gradients(t.checkpoint, given(2)), expected)
        const around = t.compile((on: Given) => gradients(t.checkpoint, on))
        for (let i = 0; i < 2; i++) check(around(given(2)), expected)
        around.dispose()
        const inside = t.compile((on: Given) => loss(t.checkpoint, on))
        const { key, ...p } = given(2)
        check(t.grad((q: typeof p) => inside({ ...q, key }))(p), expected)
        inside.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('has the second derivatives of the function within rounding', () => {
    const left = leftBy(() =>
      t.scope(() => {
        const twice = (checkpoint: Checkpoint, { key, ...p }: Given): t.Tree =>
          t.grad((q: typeof p) => total(gradients(checkpoint, { ...q, key })))(p) as unknown as t.Tree
        const expected = twice(plain, given(3))
        expectClose(twice(t.checkpoint, given(3)), expected, 1e-5)
        const compiled = t.compile((on: Given) => twice(t.checkpoint, on))
        expectClose(compiled(given(3)), expected, 1e-5)
        compiled.dispose()
      }),
    )
    expect(left).toEqual(nothing)
  })

  it('has the numbers of the function in double precision', () => {
    t.scope(() => {
      const { key, ...p } = given(4)
      const run = (checkpoint: Checkpoint) => (q: typeof p) => [total(f(checkpoint, { ...q, key })), q.w]
      const [found] = referenceValues(run(t.checkpoint), p)
      const [expected] = referenceValues(run(plain), p)
      expect(found!.values[0]).toBeCloseTo(expected!.values[0]!, 6)
      expect(checkGradient(run(t.checkpoint), p, { limit: 4 }).maxError).toBeLessThan(1e-3)
    })
  })
})

describe('a chain of 20 layers', () => {
  const layers = 20
  const chain =
    (checkpoint: Checkpoint) =>
    (ws: readonly t.Tensor[], x: t.Tensor): t.Tensor => {
      const layer = checkpoint((h: t.Tensor, w: t.Tensor) => {
        let y = t.matmul(h, w)
        for (let i = 0; i < 5; i++) y = t.tanh(t.mul(y, t.exp(t.neg(t.square(y)))))
        return y
      })
      return t.mean(t.square(ws.reduce((h, w) => layer(h, w), x)))
    }
  const weights = (): t.Tensor[] =>
    Array.from({ length: layers }, (_, i) => t.normal(t.key(i), [8, 8], 0, 0.3))
  const batch = (): t.Tensor => t.normal(t.key(99), [256, 8])

  it('takes a fraction of the memory for its gradient, to the same bits', () => {
    t.scope(() => {
      const [ws, x] = [weights(), batch()]
      const peak = (call: () => unknown): number => {
        t.resetPeakBytes()
        const from = t.memory().bytes
        expect(leftBy(() => t.scope(call))).toEqual(nothing)
        return t.memory().peakBytes - from
      }
      const gradient = (checkpoint: Checkpoint) => () => void t.grad(chain(checkpoint))(ws, x)
      const less = peak(gradient(t.checkpoint))
      const more = peak(gradient(plain))
      expect(less).toBeLessThan(more / 8)
      expect(bits(t.grad(chain(t.checkpoint))(ws, x))).toEqual(bits(t.grad(chain(plain))(ws, x)))
    })
  })

  it('takes a fraction of the memory as a program too: what is made again is not what was made before', () => {
    t.scope(() => {
      const [ws, x] = [weights(), batch()]
      const planned = (checkpoint: Checkpoint): number => {
        const compiled = t.compile(t.valueAndGrad(chain(checkpoint)))
        const { plannedBytes } = compiled.plan(ws, x)
        expect(bits(compiled(ws, x))).toEqual(bits(t.valueAndGrad(chain(plain))(ws, x)))
        compiled.dispose()
        return plannedBytes
      }
      expect(planned(t.checkpoint)).toBeLessThan(planned(plain) / 4)
    })
  })

  it('makes each layer again once: the function is called no more often', () => {
    let calls = 0
    t.scope(() => {
      const f = t.checkpoint((x: t.Tensor) => {
        calls++
        return t.tanh(x)
      })
      t.grad((x: t.Tensor) => t.sum(f(f(x))))(t.ones([3]))
    })
    expect(calls).toBe(2)
  })
})

describe('what a checkpoint refuses', () => {
  const f = t.checkpoint as (f: unknown) => (...args: readonly unknown[]) => unknown
  const x = (): t.Tensor => t.ones([2])

  it.each<[string, string, () => unknown]>([
    [
      'TypeError',
      'checkpoint: a function is needed, got a Tensor; pass x => … instead of its result',
      () => f(x()),
    ],
    [
      'TypeError',
      'checkpoint: the function is asynchronous; await outside, and pass a synchronous function',
      () => f(async (y: t.Tensor) => y)(x()),
    ],
    [
      'TypeError',
      'checkpoint: the function is a generator; loop outside, and pass a plain function',
      () =>
        f(function* (y: t.Tensor) {
          yield y
        })(x()),
    ],
    [
      'RecordingError',
      'item: the result of sum, of shape [], cannot be read while its function is recorded: there is only its shape; return it, and read the result',
      () => f((y: t.Tensor) => t.mul(y, t.sum(y).item()))(x()),
    ],
    [
      'TypeError',
      "tree: leaves must be tensors, keys, numbers or null, got a string at '1'; trees are plain objects and arrays",
      () => f((y: t.Tensor) => y)(x(), 'mode'),
    ],
    [
      'TypeError',
      "tree: leaves must be tensors, keys, numbers or null, got undefined at ''; trees are plain objects and arrays",
      () => f(() => undefined)(x()),
    ],
    [
      'DisposedError',
      'checkpoint: a tensor of shape [2] was used after it was disposed; keep it by returning it from the scope that made it',
      () => {
        const y = x()
        y.dispose()
        return f((z: t.Tensor) => z)(y)
      },
    ],
  ])('%s: %s', (name, message, call) => {
    const left = leftBy(() =>
      t.scope(() => {
        for (const attempt of [
          call,
          () => t.grad((y: t.Tensor) => t.sum(t.mul(y, call() as t.Tensor)))(x()),
        ]) {
          expect(attempt).toThrow(
            expect.objectContaining({ name, message, operation: message.split(':')[0] }),
          )
        }
      }),
    )
    expect(left).toEqual(nothing)
  })
})
