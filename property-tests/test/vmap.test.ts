import * as t from '@tapeflow/autodiff'
import { operations, vmapByExample } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assertCompiledEqualsEager,
  assertVmapAgreesWithLoop,
  type Program,
  programs,
  samples,
  tensors,
  vmapAgreesWithLoop,
} from '../src/index.ts'
import { assertProperty } from './runs.ts'

describe('vmap of vmap', () => {
  for (const info of operations) {
    const { name } = info.operation
    it(`is the loop over vmap: ${name}`, () => {
      const property = fc.property(samples(info, { others: 3 }), ({ call, inputs, others }) => {
        if (inputs.length === 0) return
        t.scope(() => {
          const four = [inputs, ...others].map((one) => t.fromSnapshot(one))
          const pairs = inputs.map((_, k) => {
            const all = t.stack(four.map((one) => one[k]!))
            return t.reshape(all, [2, 2, ...all.shape.slice(1)])
          })
          const inner = t.vmap((x: readonly t.Tensor[]) => call(...x))
          assertVmapAgreesWithLoop(inner, pairs)
        })
      })
      assertProperty(property, 4)
    })
  }
})

describe('vmap of random programs, gradients among them', () => {
  const many = fc.sample(programs({ gradients: true }), { numRuns: 300, seed: 2 })

  /** What two examples come to by `vmap`, and in the loop: tensors hold the numbers of one and of the other. */
  function both({ inputs, others, run }: Program, vmap: typeof t.vmap): readonly (readonly Float32Array[])[] {
    return t.scope(() => {
      const [one, other] = t.fromSnapshot([inputs, others])
      const given = one!.map((x, k) => (t.isTensor(x) ? t.stack([x, other![k] as t.Tensor]) : x))
      if (!given.some((x) => t.isTensor(x))) return [[], []]
      const mapped = vmap((x: readonly (t.Tensor | t.Key | number)[]) => run(x))(given)
      const examples = [one!, other!].map((example, i) =>
        run(
          example.map((x, k) =>
            x instanceof t.Key ? t.foldIn(one![k] as t.Key, i) : t.isTensor(x) ? x : one![k]!,
          ),
        ),
      )
      const loop = examples[0]!.map((x, k) => t.stack([x, examples[1]![k]!]))
      return [mapped, loop].map((tensors) => tensors.map((x) => x.toFloat32Array()))
    })
  }

  it('gives the bits of the loop without rules', () => {
    for (const program of many) {
      const [mapped, loop] = both(program, vmapByExample)
      expect(mapped).toEqual(loop)
    }
  })

  it('gives the numbers of the loop, but where rounding decides', () => {
    let [differs, total] = [0, 0]
    for (const program of many) {
      const [mapped, loop] = both(program, t.vmap)
      for (const [k, values] of mapped!.entries()) {
        const expected = loop![k]!
        expect(values).toHaveLength(expected.length)
        const finite = expected.filter(Number.isFinite)
        const allowed = 1e-4 * finite.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)
        if (!values.every((x, i) => Object.is(x, expected[i]) || Math.abs(x - expected[i]!) <= allowed))
          differs++
        total++
      }
    }
    expect(total).toBeGreaterThan(1000)
    // A step, or a sort, may turn a last digit into another number.
    expect(differs / total).toBeLessThan(0.005)
  })
})

describe('a compiled vmap', () => {
  for (const info of operations) {
    const { name } = info.operation
    it(`gives the bits of the eager one: ${name}`, () => {
      const property = fc.property(samples(info, { others: 1 }), ({ call, inputs, others }) => {
        if (inputs.length === 0) return
        t.scope(() => {
          const [one, other] = [inputs, ...others].map((x) => t.fromSnapshot(x))
          const pairs = inputs.map((_, k) => t.stack([one![k]!, other![k]!]))
          const mapped = t.vmap((x: readonly t.Tensor[]) => call(...x))
          const total = (x: readonly t.Tensor[]): t.Tensor => t.sum(mapped(x))
          assertCompiledEqualsEager((x: readonly t.Tensor[]) => [mapped(x), t.grad(total)(x)], pairs)
        })
      })
      assertProperty(property, 3)
    })
  }
})

describe('vmap of a matrix product', () => {
  const batches: readonly t.Shape[] = [[], [2], [3, 2], [1, 1]]
  const cases = batches.flatMap((left) =>
    batches.flatMap((right) => [
      { left: [...left, 4, 3], right: [...right, 3, 5], options: {} },
      { left: [...left, 3, 4], right: [...right, 5, 3], options: { transposeA: true, transposeB: true } },
    ]),
  )
  const vectors = [
    { left: [3], right: [3], options: {} },
    ...batches.flatMap((batch) => [
      { left: [3], right: [...batch, 3, 5], options: {} },
      { left: [3], right: [...batch, 5, 3], options: { transposeB: true } },
      { left: [...batch, 4, 3], right: [3], options: {} },
      { left: [...batch, 3, 4], right: [3], options: { transposeA: true } },
    ]),
  ]
  it.each([
    [0, 0],
    [0, null],
    [null, 0],
  ])('is the loop, for vectors, matrices and batches of either side, along axes %s and %s', (a, b) => {
    for (const { left, right, options } of [...cases, ...vectors]) {
      const given = (axis: number | null, shape: t.Shape): fc.Arbitrary<t.Snapshot> =>
        tensors({ shape: axis === null ? shape : [3, ...shape] })
      const law = vmapAgreesWithLoop(
        ([x, y]: readonly [t.Tensor, t.Tensor]) => t.matmul(x, y, options),
        fc.tuple(given(a, left), given(b, right)),
        { axes: [a, b] },
      )
      fc.assert(law, { numRuns: 1, seed: 1 })
    }
  })
})

describe('vmap of functions with rules of their own', () => {
  // Gradients that no operation would give, so that it is the rule that makes them.
  const scaled = t.customVjp(
    ({ x, w }: { x: t.Tensor; w: t.Tensor; none: null }) => [t.mul(x, w), t.sum(x)] as const,
    ([g, s], [y], { x, w }) => ({
      x: t.add(t.mul(t.mul(g, w), t.sin(y)), s),
      w: t.sum(t.mul(g, t.exp(x)), { axis: 0 }),
      none: null,
    }),
  )
  const straight = t.customVjp(
    (x: t.Tensor) => t.round(x),
    (g) => t.mul(g, 3),
  )
  const x = tensors({ shape: [4, 2, 3] })

  it.each([0, null])('is the loop, in values and gradients, where an input has axis %s', (axis) => {
    const w = tensors({ shape: axis === 0 ? [4, 3] : [3] })
    for (const vmap of [t.vmap, vmapByExample]) {
      const f = (p: { x: t.Tensor; w: t.Tensor }): t.Tree => {
        const [y, s] = scaled({ x: straight(p.x), w: p.w, none: null })
        return [t.mul(t.tanh(y), s), t.softmax(y)]
      }
      const options = { axes: { x: 0, w: axis }, vmap }
      fc.assert(vmapAgreesWithLoop(f, fc.record({ x, w }), options), { numRuns: 10, seed: 1 })
      const gradients = (p: { x: t.Tensor; w: t.Tensor }): t.Tree =>
        t.grad((q: typeof p) => t.sum(t.leaves(f(q))[0]!))(p)
      fc.assert(vmapAgreesWithLoop(gradients, fc.record({ x, w }), options), { numRuns: 10, seed: 1 })
    }
  })

  it('is the loop where the rule draws numbers', () => {
    const noisy = t.customVjp(
      ({ x, key }: { x: t.Tensor; key: t.Key }) => t.mul(x, t.normal(key, x.shape)),
      (g, _, { x, key }) => ({ x: t.mul(g, t.normal(t.foldIn(key, 1), x.shape)), key: null }),
    )
    t.scope(() => {
      const [at, key] = [t.normal(t.key(1), [3, 2]), t.key(2)]
      const mapped = (y: t.Tensor): t.Tensor =>
        t.sum(t.vmap((row: t.Tensor, own: t.Key) => noisy({ x: row, key: own }))(y, key))
      const expected = t.stack([0, 1, 2].map((i) => t.normal(t.foldIn(t.foldIn(key, i), 1), [2])))
      expect(t.grad(mapped)(at).toArray()).toEqual(expected.toArray())
    })
  })
})

describe('vmap of convolutions and pooling', () => {
  const network = (p: { image: t.Tensor; filter: t.Tensor }): t.Tensor =>
    t.sum(t.square(t.maxPool2d(t.relu(t.conv2d(p.image, p.filter, { padding: 'same' })), 2)))

  it('is the loop, in values and gradients, with one filter or with many', () => {
    const image = tensors({ shape: [3, 2, 5, 4, 2] })
    for (const shared of [true, false]) {
      const filter = tensors({ shape: shared ? [3, 3, 2, 3] : [3, 3, 3, 2, 3] })
      const law = vmapAgreesWithLoop(network, fc.record({ image, filter }), {
        axes: { image: 0, filter: shared ? null : 0 },
        tolerance: 1e-3,
      })
      fc.assert(law, { numRuns: 5, seed: 1 })
    }
  })
})

describe('the law itself', () => {
  it('takes examples along other axes, and trees with numbers', () => {
    const pair = fc.record({
      x: tensors({ shape: [2, 4] }),
      w: tensors({ shape: [2] }),
      rate: fc.constant(3),
    })
    const f = (p: { x: t.Tensor; w: t.Tensor; rate: number }): t.Tree => ({
      a: t.mul(t.softmax(t.mul(p.x, p.w)), p.rate),
      b: t.sum(p.x),
    })
    fc.assert(vmapAgreesWithLoop(f, pair, { axes: { x: -1, w: null, rate: 0 } }), { numRuns: 10, seed: 1 })
  })

  it('refuses what holds no examples, in exact words', () => {
    expect(() => assertVmapAgreesWithLoop(t.exp, t.zeros([0, 2]))).toThrow(
      'vmapAgreesWithLoop: at least one example is needed, got none; let axes name one',
    )
  })
})
