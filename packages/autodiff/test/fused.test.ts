import { describe, expect, it, vi } from 'vitest'
import * as t from '../src/index.ts'
import { layerNormOperation } from '../src/ops/layer-norm.ts'

const bits = (x: t.Tensor): Uint32Array => new Uint32Array(x.toFloat32Array().buffer)

describe('a fused operation', () => {
  // Working memory that was not asked for began at the program's own block, and was written to.
  it('is given no working memory in a program where it needs none', () => {
    const spy = vi.spyOn(layerNormOperation.backward, 'kernel')
    const f = (x: t.Tensor): t.Tensor => t.add(t.grad((at: t.Tensor) => t.sum(t.layerNorm(at)))(x), x)
    const x = t.tensor([-3, -2])
    expect(bits(t.compile(f)(x))).toEqual(bits(f(x)))
    expect(spy.mock.calls.map((call) => call[3])).toEqual([0, 0])
    spy.mockRestore()
  })

  it('computes the cotangents that are wanted only', () => {
    const shapes: t.Shape[] = []
    const spy = vi
      .spyOn(layerNormOperation.backward, 'kernel')
      .mockImplementation((output) => shapes.push(output.shape) > 0)
    const [x, gamma, beta] = [t.ones([5, 4]), t.ones([4]), t.ones([4])]
    t.grad((at: t.Tensor) => t.sum(t.layerNorm(x, at, beta)))(gamma)
    t.grad((at: t.Tensor) => t.sum(t.layerNorm(at, gamma, beta)))(x)
    t.grad((at: readonly t.Tensor[]) => t.sum(t.layerNorm(at[0]!, at[1], beta)))([x, gamma])
    expect(shapes).toEqual([[4], [5, 4], [24]])
    spy.mockRestore()
  })

  it('adds to what else an input is used for', () => {
    const x = t.normal(t.key(1), [3, 4])
    const [own, alone] = [
      (at: t.Tensor) => t.sum(t.square(t.layerNorm(at))),
      (at: t.Tensor) => t.sum(t.exp(at)),
    ]
    const both = t
      .grad((at: t.Tensor) => t.add(own(at), alone(at)))(x)
      .toFloat32Array()
    const sum = t.add(t.grad(own)(x), t.grad(alone)(x)).toFloat32Array()
    for (const [i, value] of both.entries()) expect(value).toBeCloseTo(sum[i]!, 5)
    // One tensor in two places.
    const twice = t.grad((at: t.Tensor) => t.sum(t.layerNorm(at, at)))
    const y = t.tensor([1, 2, 4])
    const composed = t.grad((at: t.Tensor) => t.sum(t.mul(t.layerNorm(at), at)))
    for (const [i, value] of twice(y).toFloat32Array().entries())
      expect(value).toBeCloseTo(composed(y).toFloat32Array()[i]!, 5)
  })
})

describe('linear', () => {
  it('has the bits of its composition, values and gradients, eager and compiled', () => {
    for (const [rows, size, out] of [
      [1, 3, 5],
      [32, 100, 10],
      [70, 260, 130],
    ] as const) {
      t.scope(() => {
        const inputs = {
          x: t.normal(t.key(1), [rows, size]),
          w: t.normal(t.key(2), [size, out]),
          b: t.normal(t.key(3), [out]),
        }
        const fused = ({ x, w, b }: typeof inputs): t.Tensor => t.linear(x, w, b)
        const composed = ({ x, w, b }: typeof inputs): t.Tensor => t.add(t.matmul(x, w), b)
        const all = (f: typeof fused) => (given: typeof inputs) =>
          t.valueAndGrad((at: typeof inputs) => t.sum(t.square(f(at))))(given)
        const expected = t.leaves(all(composed)(inputs)).map(bits)
        expect(bits(fused(inputs))).toEqual(bits(composed(inputs)))
        expect(t.leaves(all(fused)(inputs)).map(bits)).toEqual(expected)
        expect(t.leaves(t.compile(all(fused))(inputs)).map(bits)).toEqual(expected)
      })
    }
  })

  it('is its composition in a program, so that the bias joins what follows', () => {
    const f = (x: t.Tensor, w: t.Tensor, b: t.Tensor): t.Tensor => t.relu(t.linear(x, w, b))
    const plan = String(t.compile(f).plan(t.ones([2, 3]), t.ones([3, 4]), t.ones([4])))
    expect(plan).toContain('matmul')
    expect(plan).not.toContain('linear')
  })
})

describe('cross-entropies', () => {
  it('are finite, and have finite gradients, wherever the true ones are', () => {
    const logits = t.tensor([
      [1e4, -1e4, 0],
      [Number.NEGATIVE_INFINITY, 0, 1],
    ])
    const labels = t.tensor([0, 1])
    const sparse = t.vjp((x) => t.sparseSoftmaxCrossEntropy(x, labels), logits, t.ones([2]))
    expect(sparse.value.toFloat32Array()[0]).toBe(0)
    expect(sparse.value.toFloat32Array()[1]).toBeCloseTo(Math.log(1 + Math.E), 6)
    const p = Math.fround(1 / (1 + Math.E))
    const expected = [0, 0, 0, 0, p - 1, 1 - p]
    for (const [i, value] of sparse.gradients.toFloat32Array().entries())
      expect(value).toBeCloseTo(expected[i]!, 6)
    const target = t.tensor([
      [1, 0, 0],
      [0, 1, 0],
    ])
    const dense = t.vjp(
      ([x, z]: readonly t.Tensor[]) => t.softmaxCrossEntropy(x!, z!),
      [logits, target],
      t.ones([2]),
    )
    expect(dense.value.toFloat32Array()).toEqual(sparse.value.toFloat32Array())
    for (const [i, value] of dense.gradients[0]!.toFloat32Array().entries())
      expect(value).toBeCloseTo(expected[i]!, 6)
    expect(dense.gradients[1]!.toFloat32Array().every(Number.isFinite)).toBe(true)
    const far = t.tensor([200, -200, 200, -200, 1e38])
    const binary = t.vjp((x) => t.sigmoidCrossEntropy(x, t.tensor([1, 0, 0, 1, 1])), far, t.ones([5]))
    expect([...binary.value.toFloat32Array()]).toEqual([0, 0, 200, 200, 0])
    expect([...binary.gradients.toFloat32Array()]).toEqual([0, 0, 1, -1, 0])
  })

  it('keep small losses: ln(1 + x) does not round 1 + x', () => {
    const [loss] = t.sigmoidCrossEntropy(t.tensor([20]), 1).toFloat32Array()
    expect(loss).toBeCloseTo(Math.log1p(Math.exp(-20)), 14)
  })
})

describe('scaledDotProductAttention', () => {
  const [q, k, v] = [1, 2, 3].map((seed) => t.normal(t.key(seed), [2, 3, 4])) as [
    t.Tensor,
    t.Tensor,
    t.Tensor,
  ]

  it('gives zeros, with gradients of zeros, to a query that attends to nothing', () => {
    const mask = t.tensor([
      [1, 1, 0],
      [0, 0, 0],
      [0, 1, 1],
    ])
    const { value, gradients } = t.vjp(
      ([a, b, c]: readonly t.Tensor[]) => t.scaledDotProductAttention(a!, b!, c!, { mask }),
      [q, k, v],
      t.ones([2, 3, 4]),
    )
    const rowOf = (x: t.Tensor, row: number): number[] => [
      ...t.slice(x, [0, row], [2, row + 1]).toFloat32Array(),
    ]
    expect(rowOf(value, 1)).toEqual(new Array(8).fill(0))
    expect(rowOf(gradients[0]!, 1).map(Math.abs)).toEqual(new Array(8).fill(0))
    for (const gradient of gradients) expect(gradient.toFloat32Array().every(Number.isFinite)).toBe(true)
  })

  it('is causal as a mask of the lower triangle is', () => {
    const mask = t.tensor([
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ])
    const causal = t.scaledDotProductAttention(q, k, v, { causal: true })
    expect(bits(causal)).toEqual(bits(t.scaledDotProductAttention(q, k, v, { mask })))
  })
})

describe('the gradient of scaledDotProductAttention', () => {
  // p (g - sum of p g) with p = 1 - 2e-9, which float32 rounds to 1, was 0.
  it('keeps its digits where one key takes all', () => {
    const [q, k, v] = [t.tensor([[20]]), t.tensor([[1], [0]]), t.tensor([[2], [5]])]
    const f = (keys: t.Tensor): t.Tensor => t.sum(t.scaledDotProductAttention(q, keys, v, { scale: 1 }))
    const weight = 1 / (1 + Math.exp(20))
    const slope = 20 * weight * (1 - weight) * (2 - 5)
    for (const found of [t.grad(f)(k), t.compile(t.grad(f))(k)])
      for (const [i, x] of found.toFloat32Array().entries())
        expect(Math.abs(x / (i === 0 ? slope : -slope) - 1)).toBeLessThan(1e-6)
  })
})

describe('norms', () => {
  it('layerNorm goes over any axes: as if they were the last', () => {
    const x = t.normal(t.key(3), [3, 4, 5])
    const [gamma, beta] = [t.normal(t.key(4), [3, 5]), t.normal(t.key(5), [3, 5])]
    const y = t.layerNorm(x, gamma, beta, { axis: [-1, 0] })
    expect(y.shape).toEqual([3, 4, 5])
    const last = t.layerNorm(t.transpose(x, [1, 0, 2]), gamma, beta, { axis: [1, 2] })
    expect(bits(y)).toEqual(bits(t.transpose(last, [1, 0, 2])))
  })

  const far = t.add(t.normal(t.key(1), [3000, 20]), 1000)
  const values = far.toFloat32Array()
  const meanOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length
  const columns = Array.from({ length: 20 }, (_, j) =>
    Array.from({ length: 3000 }, (_, i) => values[i * 20 + j]!),
  )

  it('lose nothing of statistics where the mean is large', () => {
    const { y, mean, variance } = t.batchNorm(far)
    const means = columns.map(meanOf)
    expect([...mean.toFloat32Array()]).toEqual(means.map(Math.fround))
    const spreads = columns.map((own, j) => meanOf(own.map((x) => (x - means[j]!) ** 2)))
    for (const [j, value] of variance.toFloat32Array().entries())
      expect(Math.abs(value / spreads[j]! - 1)).toBeLessThan(2e-6)
    const worst = y.toFloat32Array().reduce((most, value, i) => {
      const j = i % 20
      return Math.max(most, Math.abs(value - (values[i]! - means[j]!) / Math.sqrt(spreads[j]! + 1e-5)))
    }, 0)
    expect(worst).toBeLessThan(4e-6)
    const rows = t.layerNorm(t.transpose(far)).toFloat32Array()
    const apart = rows.reduce((most, value, i) => {
      const [j, row] = [Math.floor(i / 3000), i % 3000]
      return Math.max(most, Math.abs(value - (columns[j]![row]! - means[j]!) / Math.sqrt(spreads[j]! + 1e-5)))
    }, 0)
    expect(apart).toBeLessThan(4e-6)
  })

  it('sum cotangents over many rows without losing them', () => {
    const inputs = [t.ones([3]), t.zeros([3])]
    for (const norm of [t.layerNorm, (x: t.Tensor, a?: t.Tensor, b?: t.Tensor) => t.batchNorm(x, a, b).y]) {
      const x = t.normal(t.key(2), [50_000, 3])
      const { gradients } = t.vjp(
        ([gamma, beta]: readonly t.Tensor[]) => norm(x, gamma, beta),
        inputs,
        t.full([50_000, 3], 0.1),
      )
      for (const value of gradients[1]!.toFloat32Array())
        expect(Math.abs(value / (50_000 * Math.fround(0.1)) - 1)).toBeLessThan(1e-6)
    }
  })
})
