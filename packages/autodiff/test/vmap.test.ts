import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { operations, vmapByExample } from '../src/testing.ts'
import { ruleOf } from '../src/transforms/vmap/rules.ts'

const numbers = (x: t.Tensor): number[] => Array.from(x.toFloat32Array())

const expectClose = (ours: t.Tensor, theirs: t.Tensor): void => {
  expect(ours.shape).toEqual(theirs.shape)
  const expected = numbers(theirs)
  for (const [i, value] of numbers(ours).entries()) expect(value).toBeCloseTo(expected[i]!, 5)
}

interface Params {
  readonly layers: readonly { readonly w: t.Tensor; readonly b: t.Tensor }[]
}

const params = (key: t.Key, ...sizes: number[]): Params => ({
  layers: sizes.slice(1).map((out, i) => ({
    w: t.normal(t.foldIn(key, i), [sizes[i]!, out]),
    b: t.normal(t.foldIn(key, 100 + i), [out]),
  })),
})

/** The cross-entropy of an MLP on one row, or the mean of it over several. */
const loss = (p: Params, x: t.Tensor, label: t.Tensor): t.Tensor => {
  const logits = p.layers.reduce((h, { w, b }, i) => t.linear(i === 0 ? h : t.tanh(h), w, b), x)
  return t.mean(t.softmaxCrossEntropy(logits, t.oneHot(label, logits.shape.at(-1)!)))
}

describe('per-sample gradients', () => {
  const p = params(t.key(1), 4, 5, 3)
  const x = t.normal(t.key(2), [6, 1, 4])
  const labels = t.tensor([[0], [1], [2], [2], [1], [0]])
  const perSample = t.vmap(t.grad(loss), { inAxes: [null, 0, 0] })

  it('are those of a loop, and their mean is the gradient of the batch', () => {
    t.scope(() => {
      const found = perSample(p, x, labels)
      const whole = t.grad(loss)(p, t.reshape(x, [6, 4]), t.reshape(labels, [6]))
      for (let i = 0; i < 6; i++) {
        const one = t.grad(loss)(
          p,
          t.reshape(t.slice(x, i, i + 1), [1, 4]),
          t.reshape(t.slice(labels, i, i + 1), [1]),
        )
        t.zipTensors([one, found], (a, b) => expectClose(t.reshape(t.slice(b, i, i + 1), a.shape), a))
      }
      t.zipTensors([whole, found], (a, b) => expectClose(t.mean(b, { axis: 0 }), a))
    })
  })

  it('are the same bits compiled', () => {
    t.scope(() => {
      const eager = perSample(p, x, labels)
      const compiled = t.compile(perSample)
      for (const found of [compiled(p, x, labels), compiled(p, x, labels)])
        t.zipTensors([eager, found], (a, b) => expect(numbers(b)).toEqual(numbers(a)))
      compiled.dispose()
    })
  })

  it('leave nothing in the heap', () => {
    const before = t.memory()
    t.scope(() => {
      perSample(p, x, labels)
    })
    const made = perSample(p, x, labels)
    expect(t.memory().tensors - before.tensors).toBe(4)
    for (const one of t.leaves(made)) one.dispose()
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  })
})

describe('batching rules', () => {
  it('are there for every operation but those that are as fast one by one, or never recorded', () => {
    const without = operations.map(({ operation }) => operation).filter((one) => ruleOf(one) === null)
    // A filter's gradient is a product for each example; linear is recorded as a product and a sum.
    expect(without.map(({ name }) => name)).toEqual(['conv2dFilterGradient', 'linear'])
  })
})

// Each once with rules, and once example by example.
describe.each([
  ['vmap', t.vmap],
  ['vmap without rules', vmapByExample],
])('%s', (_, vmap) => {
  const x = t.tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ])

  it('takes axes for arguments, their trees and results', () => {
    t.scope(() => {
      const f = (p: { w: t.Tensor; b: t.Tensor[] }, row: t.Tensor) => ({
        sum: t.add(t.mul(p.w, t.sum(row)), p.b[0]!),
        row: t.neg(row),
      })
      const p = { w: t.tensor([1, 10, 100]), b: [t.tensor([7])] }
      const found = vmap(f, { inAxes: [{ w: 0, b: null }, -2], outAxes: { sum: 0, row: 1 } })(p, x)
      expect(found.sum.toArray()).toEqual([[10], [77], [1107]])
      expect(found.row.toArray()).toEqual([
        [-1, -3, -5],
        [-2, -4, -6],
      ])
      const columns = vmap((a: t.Tensor) => t.sum(a), { inAxes: 1 })(x)
      expect(columns.toArray()).toEqual([9, 12])
    })
  })

  it('gives what is the same for all once for each, or as it is', () => {
    const shared = t.tensor([8, 9])
    const f = (row: t.Tensor) => ({ row, shared, two: 2, none: null })
    const found = vmap(f)(x)
    expect(found.row.toArray()).toEqual(x.toArray())
    expect(found.shared.toArray()).toEqual([
      [8, 9],
      [8, 9],
      [8, 9],
    ])
    expect([found.two, found.none]).toEqual([2, null])
    const once = vmap(f, { outAxes: { row: 0, shared: null, two: 0, none: 0 } })(x)
    expect(once.shared.toArray()).toEqual([8, 9])
  })

  it('gives example i the key foldIn(key, i), and shares keys of closures, and with axis null', () => {
    t.scope(() => {
      const key = t.key(5)
      const noisy = (row: t.Tensor, own: t.Key) => t.mul(row, t.normal(t.foldIn(own, 'noise'), [2]))
      const rows = [0, 1, 2].map((i) => {
        return t.mul(t.reshape(t.slice(x, i, i + 1), [2]), t.normal(t.foldIn(t.foldIn(key, i), 'noise'), [2]))
      })
      expect(vmap(noisy)(x, key).toArray()).toEqual(t.stack(rows).toArray())
      expect(t.compile(vmap(noisy))(x, key).toArray()).toEqual(t.stack(rows).toArray())
      const same = t.mul(x, t.normal(t.foldIn(key, 'noise'), [2])).toArray()
      expect(vmap(noisy, { inAxes: [0, null] })(x, key).toArray()).toEqual(same)
      expect(vmap((row: t.Tensor) => noisy(row, key))(x).toArray()).toEqual(same)
      const closed = t.compile((rows: t.Tensor, own: t.Key) => vmap((row: t.Tensor) => noisy(row, own))(rows))
      expect(closed(x, key).toArray()).toEqual(same)
    })
  })

  it('maps scans and checkpoints, with keys of their own', () => {
    t.scope(() => {
      const walk = (row: t.Tensor, key: t.Key): t.Tensor =>
        t.scan(
          (carry: t.Tensor, { step, noise }: { step: t.Tensor; noise: t.Key }) => {
            const next = t.tanh(t.add(t.mul(carry, step), t.normal(noise, [])))
            return { carry: next, y: next }
          },
          t.tensor(1),
          { step: row, noise: key },
        ).ys
      const f = t.checkpoint((row: t.Tensor) => t.sum(t.exp(walk(row, t.key(3)))))
      const loop = (g: (row: t.Tensor, i: number) => t.Tensor): t.Tensor =>
        t.stack([0, 1, 2].map((i) => g(t.reshape(t.slice(x, i, i + 1), [2]), i)))
      expectClose(
        vmap(walk)(x, t.key(9)),
        loop((row, i) => walk(row, t.foldIn(t.key(9), i))),
      )
      expectClose(vmap(f)(x), loop(f))
      expectClose(vmap(t.grad(f))(x), loop(t.grad(f)))
      const total = (y: t.Tensor): t.Tensor => t.sum(t.square(vmap(f)(y)))
      const totalLoop = (y: t.Tensor): t.Tensor =>
        t.sum(t.square(t.stack([0, 1, 2].map((i) => f(t.reshape(t.slice(y, i, i + 1), [2]))))))
      expectClose(t.grad(total)(x), t.grad(totalLoop)(x))
    })
  })

  it('maps itself, and gradients go through it to all that f uses', () => {
    t.scope(() => {
      const w = t.tensor([2, -1])
      const outer = vmap((a: t.Tensor) => vmap((b: t.Tensor) => t.sum(t.mul(t.mul(a, b), w)))(x))
      const expected = t.matmul(t.mul(x, w), x, { transposeB: true })
      expect(outer(x).toArray()).toEqual(expected.toArray())
      const f = (v: t.Tensor): t.Tensor => t.sum(vmap((row: t.Tensor) => t.exp(t.sum(t.mul(row, v))))(x))
      const g = (v: t.Tensor): t.Tensor => t.sum(t.exp(t.matmul(x, v)))
      const at = t.tensor([0.1, -0.2])
      expectClose(t.grad(f)(at), t.grad(g)(at))
      expectClose(t.hessian(f)(at), t.hessian(g)(at))
      expectClose(
        vmap(t.hessian(g))(x),
        t.stack([0, 1, 2].map((i) => t.hessian(g)(t.reshape(t.slice(x, i, i + 1), [2])))),
      )
    })
  })

  it('computes nothing that no result needs, but makes its checks', () => {
    const f = (row: t.Tensor, label: t.Tensor) => t.gather(row, label)
    expect(vmap(f)(x, t.tensor([0, 1, 0])).toArray()).toEqual([1, 4, 5])
    expect(() => vmap(f)(x, t.tensor([0, 2, 0]))).toThrow(
      'gather: index 2 at place 0 is not an integer from 0 to 1; count classes from 0',
    )
    const unused = (row: t.Tensor, label: t.Tensor) => {
      t.checkIndices('f', label, 2)
      return row
    }
    const words = 'f: index 2 at place 0 is not an integer from 0 to 1'
    expect(() => vmap(unused)(x, t.tensor([0, 1, 2]))).toThrow(words)
    expect(() => t.compile(vmap(unused))(x, t.tensor([0, 1, 2]))).toThrow(words)
  })

  it('frees what it makes in between as soon as nobody needs it', () => {
    const chain = (row: t.Tensor): t.Tensor => {
      let y = t.mul(row, 2)
      for (let i = 0; i < 20; i++) y = i % 2 === 0 ? t.tanh(y) : t.flip(y)
      return t.sum(y)
    }
    const rows = t.zeros([8, 50_000])
    t.resetPeakBytes()
    const from = t.memory().bytes
    t.scope(() => {
      vmap(chain)(rows)
    })
    // The largest value, one made of it, and one that stacks its rows.
    expect(t.memory().peakBytes - from).toBeLessThan(3.5 * 4 * rows.size)
    rows.dispose()
  })

  it('gives empty results for no examples', () => {
    const f = (row: t.Tensor) => ({ exp: t.exp(row), sum: t.sum(row), sorted: t.sort(row) })
    const found = vmap(f)(t.zeros([0, 4]))
    expect([found.exp.shape, found.sum.shape, found.sorted.shape]).toEqual([[0, 4], [0], [0, 4]])
  })

  it('passes on numbers, texts and flags, known and recorded', () => {
    const f = (row: t.Tensor, rate: number, { mode }: { mode: string }) =>
      t.mul(mode === 'neg' ? t.neg(row) : row, rate)
    expect(vmap(f)(x, 2, { mode: 'neg' }).toArray()).toEqual(t.mul(x, -2).toArray())
    const compiled = t.compile((rows: t.Tensor, rate: number) => vmap(f)(rows, rate, { mode: 'neg' }))
    expect(compiled(x, 3).toArray()).toEqual(t.mul(x, -3).toArray())
  })

  it('is refused in exact words', () => {
    const f = (a: t.Tensor, b: t.Tensor) => t.add(a, b)
    const refusals: [() => unknown, string][] = [
      [
        () => vmap(f)(x, t.ones([2])),
        "vmap: numbers of examples differ, got 3 at '0' and 2 at '1' of shape [2]; pass null in inAxes for what all examples share",
      ],
      [
        () => vmap(f)(x, t.tensor(1)),
        "vmap: the tensor at '1' has shape [], and no axis 0 for examples; pass null to share it",
      ],
      [
        () => vmap(f, { inAxes: [0, 1.5] })(x, x),
        "vmap: the tensor at '1' has shape [3,2], and no axis 1.5 for examples; pass null to share it",
      ],
      [
        () => vmap(f, { inAxes: [0] })(x, x),
        "vmap: no axis is given for '1'; pass a number, or null to share it",
      ],
      [
        () => vmap(f, { inAxes: [null, null] })(x, x),
        'vmap: no tensor in the arguments has an axis for examples; map over one, or call the function itself',
      ],
      [
        () => vmap(f, { inAxes: [0, [0]] })(x, x),
        "vmap: axes are a tree where there is one leaf, at '1'; pass a number or null",
      ],
      [
        () => vmap(f, { inAxes: [0, '1' as never] })(x, x),
        "vmap: an axis must be a number or null, got a string at '1'; pass 0, or null to share",
      ],
      [
        () => vmap(f, { inAxes: 'x' as never }),
        'vmap: inAxes must be a number, or an array with an axis for each argument; pass [0, null]',
      ],
      [() => vmap(f, { axes: 0 } as never), "vmap: unknown option 'axes'; use inAxes, outAxes"],
      [() => vmap(1 as never), 'vmap: a function is needed, got a number; pass x => … instead of its result'],
      [
        () => vmap(f, { outAxes: null })(x, x),
        "vmap: the result at '' differs between examples, got axis null; pass an axis of it",
      ],
      [
        () => vmap((_: t.Tensor, key: t.Key) => key)(x, t.key(1)),
        "vmap: results must hold tensors and numbers, got a Key at ''; return what is drawn with it",
      ],
      [
        () => vmap((row: t.Tensor) => t.tensor(row.item()), { inAxes: 1 })(t.ones([1, 2])),
        'item: an argument, of shape [1], cannot be read while its function is recorded: there is only its shape; return it, and read the result',
      ],
      [
        () => vmap(async (row: t.Tensor) => Promise.resolve(row))(x),
        'vmap: the function is asynchronous; await outside, and pass a synchronous function',
      ],
    ]
    const before = t.memory()
    for (const [call, words] of refusals) expect(() => t.scope(() => void call())).toThrow(words)
    expect(t.memory().bytes).toBe(before.bytes)
  })
})
