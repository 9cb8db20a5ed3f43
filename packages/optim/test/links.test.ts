import * as t from '@tapeflow/autodiff'
import {
  accumulate,
  adam,
  addDecayedWeights,
  addNoise,
  applyIfFinite,
  centralize,
  chain,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  cosineDecay,
  descend,
  ema,
  ewma,
  masked,
  type Optimizer,
  perPath,
  scaleByAdam,
  type Transform,
  trace,
  zeroNaNs,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

/** What a link without memory makes of flat tensors. */
function changed(link: Transform<never>, parts: readonly (readonly number[])[]): Float32Array[] {
  return t.scope(() => {
    const updates = parts.map((part) => t.tensor(part))
    return t.leaves(link.update(updates, {}, updates, link.hyper(0)).updates).map((u) => u.toFloat32Array())
  })
}

const magnitudes = fc.oneof(
  fc.constant(0),
  fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -30, max: 30 })).map(([x, e]) => {
    return Math.fround(x * 10 ** e)
  }),
)
const trees = fc.array(fc.array(magnitudes, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })
const bounds = fc.constantFrom(1e-3, 1, 1000)

describe('clipping', () => {
  const checkClipped = (
    before: readonly number[],
    after: Float32Array,
    length: number,
    bound: number,
  ): void => {
    const kept = Math.min(length, bound)
    for (const [i, u] of before.entries()) {
      const wanted = length <= bound ? u : u * (kept / length)
      // A product so small that float32 has no number for it is 0.
      expect(Math.abs(after[i]! - wanted)).toBeLessThanOrEqual(1e-6 * Math.abs(wanted) + 1e-37)
    }
  }

  test('by norm: each tensor is at most as long as the bound and keeps its direction', () => {
    fc.assert(
      fc.property(trees, bounds, (tree, bound) => {
        for (const [i, after] of changed(clipByNorm(bound), tree).entries()) {
          expect(Math.hypot(...after)).toBeLessThanOrEqual(bound * (1 + 1e-6))
          checkClipped(tree[i]!, after, Math.hypot(...tree[i]!), bound)
        }
      }),
    )
  })

  test('by the global norm: so is the tree as one vector', () => {
    fc.assert(
      fc.property(trees, bounds, (tree, bound) => {
        const after = changed(clipByGlobalNorm(bound), tree)
        const length = Math.hypot(...tree.flat())
        expect(Math.hypot(...after.flatMap((part) => [...part]))).toBeLessThanOrEqual(bound * (1 + 1e-6))
        for (const [i, part] of tree.entries()) checkClipped(part, after[i]!, length, bound)
      }),
    )
  })

  test.each([clipByNorm, clipByGlobalNorm])(
    '%o leaves what is below the bound as it is, bit for bit',
    (clip) => {
      fc.assert(
        fc.property(trees, (tree) => {
          expect(changed(clip(1e32), tree)).toEqual(tree.map((part) => Float32Array.from(part)))
        }),
      )
    },
  )

  test('by value: every element is within the limit, those that were stay, and twice is as once', () => {
    fc.assert(
      fc.property(trees, bounds, (tree, limit) => {
        const once = changed(clipByValue(limit), tree)
        const high = Math.fround(limit)
        expect(once).toEqual(
          tree.map((part) => Float32Array.from(part, (u) => Math.min(Math.max(u, -high), high))),
        )
        expect(
          changed(
            clipByValue(limit),
            once.map((part) => [...part]),
          ),
        ).toEqual(once)
      }),
    )
  })
})

test('centralize: each output has a mean of 0 over what comes in, in filters too; vectors stay', () => {
  t.scope(() => {
    const updates = {
      bias: t.normal(t.key(1), [4]),
      filter: t.normal(t.key(2), [3, 3, 2, 4]),
      weight: t.normal(t.key(3), [5, 3], 10),
    }
    const link = centralize()
    const made = link.update(updates, {}, updates, link.hyper(0)).updates
    expect(made.bias.toArray()).toEqual(updates.bias.toArray())
    for (const name of ['filter', 'weight'] as const) {
      const columns = t.reshape(made[name], [-1, updates[name].shape.at(-1)!])
      for (const mean of t.mean(columns, { axis: 0 }).toFloat32Array()) expect(mean).toBeCloseTo(0, 5)
      // Only what all weights of an output have in common is gone.
      const moved = t.reshape(t.sub(updates[name], made[name]), columns.shape)
      for (const spread of t.std(moved, { axis: 0 }).toFloat32Array()) expect(spread).toBeCloseTo(0, 5)
    }
  })
})

test('zeroNaNs: a NaN is 0, and nothing else changes', () => {
  const odd = [Number.NaN, 1, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45]
  expect(changed(zeroNaNs(), [odd])).toEqual([Float32Array.from(odd, (u) => (Number.isNaN(u) ? 0 : u))])
})

type Params = { readonly bias: t.Tensor; readonly weight: t.Tensor }
type Slots = Record<string, Params>
const params = (seed = 1): Params => ({
  bias: t.normal(t.key(seed), [2]),
  weight: t.normal(t.key(seed + 1), [3, 2]),
})
const slopes = (step: number): Params => params(100 + 2 * step)
const spoilt = (value: number): Params => ({
  ...slopes(0),
  weight: t.tensor([
    [1, 2],
    [value, 4],
    [5, 6],
  ]),
})

interface State {
  readonly params: Params
  readonly slots: Slots
}
const stepWith =
  (optimizer: Optimizer<string>) =>
  ({ params, slots }: State, gradients: Params, step: number): State =>
    optimizer.update(gradients, slots, params, optimizer.hyper(step))
const startOf = (optimizer: Optimizer<string>): State => ({
  params: params(),
  slots: optimizer.init(params()),
})
/** States after each step, as snapshots. */
function states(
  optimizer: Optimizer<string>,
  count: number,
  gradients: (step: number) => Params = slopes,
): unknown[] {
  return t.scope(() => {
    let state = startOf(optimizer)
    return Array.from({ length: count }, (_, step) => {
      state = stepWith(optimizer)(state, gradients(step), step)
      return t.toSnapshot(state)
    })
  })
}
const values = (tree: unknown): number[] => t.leaves(tree).flatMap((x) => [...x.toFloat32Array()])
function expectClose(tree: unknown, wanted: readonly number[], digits = 5): void {
  for (const [i, value] of values(tree).entries()) expect(value).toBeCloseTo(wanted[i]!, digits)
}

describe('addDecayedWeights', () => {
  test('before scaleByAdam is the gradient of λ/2 ‖W‖²', () => {
    const decayed = (at: Params, step: number): Params =>
      t.zipTensors([slopes(step), at], (g, w) => t.add(g, t.mul(w, 0.3)))
    t.scope(() => {
      const optimizer = chain(
        addDecayedWeights({ weightDecay: 0.3 }),
        scaleByAdam(),
        descend({ learningRate: 0.1 }),
      )
      const plain = adam({ learningRate: 0.1 })
      let [one, other] = [startOf(optimizer), startOf(plain)]
      for (let step = 0; step < 5; step++) {
        one = stepWith(optimizer)(one, slopes(step), step)
        other = stepWith(plain)(other, decayed(other.params, step), step)
      }
      expectClose(one.params, values(other.params))
    })
  })

  test('after it, weights shrink by the rate times λ beside what Adam does', () => {
    t.scope(() => {
      const optimizer = chain(
        scaleByAdam(),
        addDecayedWeights({ weightDecay: 0.3 }),
        descend({ learningRate: 0.1 }),
      )
      const plain = adam({ learningRate: 0.1 })
      let [one, other] = [startOf(optimizer), startOf(plain)]
      for (let step = 0; step < 5; step++) {
        one = stepWith(optimizer)(one, slopes(step), step)
        const moved = stepWith(plain)(other, slopes(step), step)
        const shrunk = t.zipTensors([moved.params, other.params], (w, before) =>
          t.sub(w, t.mul(before, 0.03)),
        )
        other = { params: shrunk, slots: moved.slots }
      }
      expectClose(one.params, values(other.params))
    })
  })
})

const everywhere = (): boolean => true
const isWeight = (path: string): boolean => path.endsWith('weight')

describe('masked', () => {
  test.each<[string, () => Transform<string>]>([
    ['clipByGlobalNorm', () => clipByGlobalNorm(0.5)],
    ['trace', () => trace({ decay: 0.9 })],
    ['ewma', () => ewma({ decay: 0.5 })],
    ['accumulate', () => accumulate(2)],
    ['applyIfFinite', () => applyIfFinite()],
    ['masked', () => masked(ema({ decay: 0.5 }), isWeight)],
  ])('on all leaves is the link inside: %s', (_, link) => {
    const after = (first: Transform<string>): unknown =>
      states(chain(first, descend({ learningRate: cosineDecay({ from: 1, steps: 5 }) })), 5)
    expect(after(masked(link(), everywhere))).toEqual(after(link()))
  })

  test('remembers nothing for the others, whose updates are the same tensors', () => {
    t.scope(() => {
      const link = masked(trace({ decay: 0.5 }), isWeight)
      const slots = link.init(params())
      expect(t.paths(slots)).toEqual(['trace.weight'])
      const gradients = slopes(0)
      const made = link.update(gradients, slots, params(), link.hyper(0))
      expect(made.updates.bias).toBe(gradients.bias)
      expect(t.paths(made.slots)).toEqual(['trace.weight'])
    })
  })

  test('averages the chosen alone, through settle', () => {
    t.scope(() => {
      const optimizer = chain(masked(ewma({ decay: 0.5 }), isWeight), descend({ learningRate: 1 }))
      const { params, slots } = stepWith(optimizer)(startOf(optimizer), slopes(0), 0)
      expect(t.paths(slots)).toEqual(['average.weight'])
      expectClose(slots.average, values(params.weight))
    })
  })

  test('in a link that holds what follows, looks at the chosen alone', () => {
    t.scope(() => {
      const first = (at: (path: string) => boolean): number[] => {
        const optimizer = chain(masked(applyIfFinite(), at), descend({ learningRate: 1 }))
        return values(stepWith(optimizer)(startOf(optimizer), spoilt(Number.NaN), 0).params.bias)
      }
      expect(first(isWeight)).toEqual(values(params().bias))
      expect(first((path) => path === 'bias')).not.toEqual(values(params().bias))
    })
  })

  test('compiles with slots that have no tensors for the others, to the same bits', () => {
    const optimizer: Optimizer<string> = chain(
      masked(trace({ decay: 0.5 }), isWeight),
      masked(ewma({ decay: 0.5 }), (path) => path === 'bias'),
      descend({ learningRate: 0.1 }),
    )
    const update = (gradients: Params, slots: Slots, at: Params): State =>
      optimizer.update(gradients, slots, at, optimizer.hyper(0)) as State
    const compiled = t.compile(update)
    t.scope(() => {
      const slots = optimizer.init(params())
      const made = t.toSnapshot(compiled(slopes(0), slots, params()))
      expect(made).toEqual(t.toSnapshot(update(slopes(0), slots, params())))
    })
    compiled.dispose()
  })
})

describe('applyIfFinite', () => {
  const optimizer: Optimizer<string> = chain(
    applyIfFinite(),
    ewma({ decay: 0.9 }),
    trace({ decay: 0.5 }),
    scaleByAdam(),
    descend({ learningRate: 0.1 }),
  )
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

  test.each(bad)(
    'a step with a gradient of %s leaves parameters and slots, bit for bit, and later ones go on',
    (x) => {
      const found = states(optimizer, 6, (step) => (step === 2 || step === 3 ? spoilt(x) : slopes(step)))
      expect(found[2]).toEqual(found[1])
      expect(found[3]).toEqual(found[1])
      expect(found[4]).not.toEqual(found[3])
      expect(found[5]).not.toEqual(found[4])
      expect(JSON.stringify(found[5])).not.toMatch(/null|NaN/)
    },
  )

  test('so does the first step', () => {
    const found = states(optimizer, 2, (step) => (step === 0 ? spoilt(Number.NaN) : slopes(step)))
    t.scope(() => expect(found[0]).toEqual(t.toSnapshot(startOf(optimizer))))
    expect(found[1]).not.toEqual(found[0])
  })

  test('a compiled step does the same', () => {
    const hyper = optimizer.hyper(0)
    const update = (gradients: Params, { params, slots }: State): State =>
      optimizer.update(gradients, slots, params, hyper) as State
    const compiled = t.compile(update)
    t.scope(() => {
      const state = compiled(slopes(0), startOf(optimizer))
      const held = compiled(spoilt(Number.NaN), state)
      expect(t.toSnapshot(held)).toEqual(t.toSnapshot(state))
      const next = t.toSnapshot(compiled(slopes(1), held))
      expect(next).toEqual(t.toSnapshot(update(slopes(1), state)))
    })
    compiled.dispose()
  })

  test('a tree without tensors takes place', () => {
    t.scope(() => {
      const next = optimizer.update({ a: null }, optimizer.init({ a: null }), { a: null }, optimizer.hyper(0))
      expect(next.params).toEqual({ a: null })
    })
  })
})

describe('ewma', () => {
  test.each([0, 0.5, 0.99])('with decay %s is the mean of the parameters with weights β^age', (decay) => {
    t.scope(() => {
      const optimizer = chain(ewma({ decay }), descend({ learningRate: 1 }))
      let state = startOf(optimizer)
      const visited: number[][] = []
      for (let step = 0; step < 12; step++) {
        state = stepWith(optimizer)(state, slopes(step), step)
        visited.push(values(state.params))
        const weights = visited.map((_, i) => decay ** (step - i))
        const total = weights.reduce((sum, weight) => sum + weight)
        const mean = visited[0]!.map((_, k) =>
          visited.reduce((sum, at, i) => sum + (weights[i]! * at[k]!) / total, 0),
        )
        expectClose(state.slots.average, mean)
      }
    })
  })

  test('without correction the parameters before the first update count as if they had always been', () => {
    t.scope(() => {
      const optimizer = chain(ewma({ decay: 0.75, biasCorrection: false }), descend({ learningRate: 1 }))
      const start = values(params())
      const one = stepWith(optimizer)(startOf(optimizer), slopes(0), 0)
      expectClose(
        one.slots.average,
        values(one.params).map((w, i) => w / 4 + start[i]! * 0.75),
      )
      const two = stepWith(optimizer)(one, slopes(1), 1)
      const before = values(one.slots.average)
      expectClose(
        two.slots.average,
        values(two.params).map((w, i) => w / 4 + before[i]! * 0.75),
      )
    })
  })

  // Begun at 0 it was 0 here, and too small later on.
  test.each([true, false])(
    'of parameters that were held is those themselves, corrected: %s',
    (biasCorrection) => {
      t.scope(() => {
        const optimizer = chain(
          applyIfFinite(),
          ewma({ decay: 0.5, biasCorrection }),
          descend({ learningRate: 1 }),
        )
        let state = startOf(optimizer)
        expect(t.toSnapshot(state.slots.average)).toEqual(t.toSnapshot(params()))
        for (const step of [0, 1]) {
          state = stepWith(optimizer)(state, spoilt(Number.NaN), step)
          expect(t.toSnapshot(state.slots.average)).toEqual(t.toSnapshot(params()))
        }
        const next = stepWith(optimizer)(state, slopes(2), 2)
        const [before, after] = [values(params()), values(next.params)]
        // Weights 1, 2 and 4 of 7; without correction all that was before has as much as the last.
        const share = biasCorrection ? 4 / 7 : 1 / 2
        expectClose(
          next.slots.average,
          before.map((w, i) => (1 - share) * w + share * after[i]!),
        )
      })
    },
  )

  test('sees the parameters of the update that it stands in, wherever it stands', () => {
    const average = (links: Optimizer<'average'>): unknown =>
      states(links, 4).map((state) => (state as { slots: { average: unknown } }).slots.average)
    const end = descend({ learningRate: 0.5 })
    const clip = clipByGlobalNorm(0.5)
    expect(average(chain(ewma({ decay: 0.5 }), clip, end))).toEqual(
      average(chain(clip, ewma({ decay: 0.5 }), end)),
    )
  })

  test('behind accumulate averages once an update, before it at every step', () => {
    t.scope(() => {
      const [inside, outside] = [
        chain(accumulate(2), ewma({ decay: 0.5 }), descend({ learningRate: 1 })),
        chain(ewma({ decay: 0.5 }), accumulate(2), descend({ learningRate: 1 })),
      ].map((optimizer) => {
        let state = startOf(optimizer)
        const visited = [0, 1, 2, 3].map((step) => {
          state = stepWith(optimizer)(state, slopes(step), step)
          return values(state.params)[0]!
        })
        return { average: values(state.slots.average)[0]!, visited }
      })
      const [a, b] = [inside!.visited[1]!, inside!.visited[3]!]
      expect(inside!.average).toBeCloseTo((a + 2 * b) / 3, 5)
      const start = outside!.visited[0]!
      expect(outside!.average).toBeCloseTo((start + 2 * a + 4 * a + 8 * b) / 15, 5)
    })
  })
})

describe('accumulate', () => {
  const inputs = t.normalValues(t.key(7), 16 * 3)
  const targets = t.normalValues(t.key(8), 16 * 2)
  const rows = (from: number, to: number): readonly [x: t.Tensor, y: t.Tensor] => [
    t.reshape(t.tensor([...inputs.subarray(3 * from, 3 * to)]), [to - from, 3]),
    t.reshape(t.tensor([...targets.subarray(2 * from, 2 * to)]), [to - from, 2]),
  ]
  const loss = ({ bias, weight }: Params, x: t.Tensor, y: t.Tensor): t.Tensor =>
    t.mean(t.square(t.sub(t.add(t.matmul(x, weight), bias), y)))
  const gradients = t.grad(loss)

  test('of 4 over quarters of a batch is adam on the whole batch', () => {
    const optimizer = chain(accumulate(4), adam({ learningRate: cosineDecay({ from: 0.1, steps: 5 }) }))
    const plain = adam({ learningRate: cosineDecay({ from: 0.1, steps: 5 }) })
    t.scope(() => {
      let [one, other] = [startOf(optimizer), startOf(plain)]
      for (let step = 0; step < 5; step++) {
        for (let part = 0; part < 4; part++) {
          const before = values(one.params)
          const slope = gradients(one.params, ...rows(4 * part, 4 * part + 4)) as Params
          one = stepWith(optimizer)(one, slope, 4 * step + part)
          if (part < 3) expect(values(one.params)).toEqual(before)
        }
        other = stepWith(plain)(other, gradients(other.params, ...rows(0, 16)) as Params, step)
        expectClose(one.params, values(other.params))
        expectClose([one.slots.m, one.slots.v], values([other.slots.m, other.slots.v]))
      }
    })
  })

  test('a NaN spoils the mean of its k gradients and no other', () => {
    const optimizer = chain(accumulate(2), applyIfFinite(), descend({ learningRate: 1 }))
    const found = states(optimizer, 4, (step) => (step === 1 ? spoilt(Number.NaN) : slopes(step))) as State[]
    const clean = states(optimizer, 2, (step) => slopes(step + 2)) as State[]
    t.scope(() => expect(found[1]!.params).toEqual(t.toSnapshot(params())))
    expect(found[3]).toEqual(clean[1])
  })

  test('in accumulate waits for the product of both', () => {
    const optimizer = chain(accumulate(2), accumulate(3), descend({ learningRate: 1 }))
    const moved: number[] = []
    t.scope(() => {
      let state = startOf(optimizer)
      for (let step = 0; step < 12; step++) {
        const before = values(state.params)
        state = stepWith(optimizer)(state, slopes(step), step)
        if (values(state.params).some((w, i) => w !== before[i])) moved.push(step)
      }
    })
    expect(moved).toEqual([5, 11])
  })
})

describe('addNoise', () => {
  const noise = (path: string, step: number, key = t.key(3)): number[] =>
    t.scope(() => {
      const link = addNoise({ key, eta: 1, gamma: 0 })
      const updates = { [path]: t.zeros([4000]) }
      return values(link.update(updates, {}, updates, link.hyper(step)).updates)
    })
  const variance = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x * x, 0) / xs.length
  const correlation = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0) / a.length

  test('is another one at another step, at another path and from another key, and the same again', () => {
    const base = noise('a', 0)
    expect(noise('a', 0)).toEqual(base)
    for (const other of [noise('a', 1), noise('b', 0), noise('a', 0, t.key(4))])
      expect(Math.abs(correlation(base, other))).toBeLessThan(0.06)
    expect(variance(base)).toBeCloseTo(1, 1)
  })

  test('has the variance η / (1 + step)^γ, of which both may be overridden', () => {
    t.scope(() => {
      const link = addNoise({ key: t.key(3), eta: 0.3 })
      const zeros = t.zeros([40000])
      const found = (step: number, overrides: Record<string, number> = {}): number => {
        const hyper = link.hyper(step, { rateScale: 1, overrides })
        return variance(values(link.update(zeros, {}, zeros, hyper).updates))
      }
      expect(found(0) / 0.3).toBeCloseTo(1, 1)
      expect((found(99) * 100 ** 0.55) / 0.3).toBeCloseTo(1, 1)
      expect((found(99, { eta: 2, gamma: 1 }) * 100) / 2).toBeCloseTo(1, 1)
    })
  })

  test('compiled, gives the bits of the eager one at any step, and reads the step when it runs', () => {
    const link = addNoise({ key: t.key(3), eta: 1, gamma: 0 })
    type Leaves = Readonly<Record<string, t.Tensor>>
    const update = (updates: Leaves, hyper: ReturnType<typeof link.hyper>): Leaves =>
      link.update(updates, {}, updates, hyper).updates
    const compiled = t.compile(update)
    t.scope(() => {
      const zeros = { a: t.zeros([5]), b: t.zeros([2, 2]) }
      for (const step of [0, 1, 2 ** 24 + 1, 2 ** 32 - 1]) {
        const hyper = link.hyper(step)
        expect(values(compiled(zeros, hyper))).toEqual(values(update(zeros, hyper)))
      }
    })
    compiled.dispose()
  })

  test.each([
    ['a tensor', (): unknown => t.tensor(3), 'got a Tensor'],
    ['nothing', (): unknown => undefined, 'got undefined'],
  ])('refuses %s in the place of the step', (_, step, got) => {
    t.scope(() => {
      const link = addNoise({ key: t.key(3), eta: 1 })
      const u = t.tensor([1])
      const update = (): unknown => link.update(u, {}, u, { deviation: 1, step: step() as number })
      expect(update).toThrow(
        refusal(
          TypeError,
          `addNoise: the step must be a number, ${got}; pass what hyper(step, control) returned: keys are made of numbers only`,
        ),
      )
    })
  })
})

describe('perPath', () => {
  const rules = [
    { at: isWeight, factor: 0.5 },
    { at: everywhere, factor: 3 },
  ]

  test('scales the rate of what its first match chooses, and of nothing else', () => {
    t.scope(() => {
      const optimizer = chain(scaleByAdam(), perPath(rules.slice(0, 1)), descend({ learningRate: 0.1 }))
      const rates = { bias: 0.1, weight: 0.05 }
      const found = stepWith(optimizer)(startOf(optimizer), slopes(0), 0).params
      for (const name of ['bias', 'weight'] as const) {
        const plain = adam({ learningRate: rates[name] })
        expectClose(found[name], values(stepWith(plain)(startOf(plain), slopes(0), 0).params[name]))
      }
    })
  })

  test('has a hyperparameter for each factor', () => {
    t.scope(() => {
      const link = perPath(rules)
      expect(link.hyperparameters).toEqual(['factor0', 'factor1'])
      const updates = { bias: t.tensor([1]), weight: t.tensor([1]) }
      const hyper = link.hyper(0, { rateScale: 1, overrides: { factor1: 7 } })
      const made = link.update(updates, {}, updates, hyper).updates
      expect([made.bias.item(), made.weight.item()]).toEqual([7, 0.5])
    })
  })

  test('follows leaves that are permuted, with a predicate that knows their new paths', () => {
    t.scope(() => {
      const order = [2, 0, 1]
      const parts = [t.tensor([1, 2]), t.tensor([3]), t.tensor(4)]
      const made = (tree: t.Tensor[], at: (path: string) => boolean): number[][] => {
        const link = perPath([{ at, factor: 10 }])
        return link.update(tree, {}, tree, link.hyper(0)).updates.map((u) => values(u))
      }
      const plain = made(parts, (path) => path === '0')
      const permuted = made(
        order.map((i) => parts[i]!),
        (path) => order[Number(path)] === 0,
      )
      expect(permuted).toEqual(order.map((i) => plain[i]))
    })
  })
})

describe('refused', () => {
  const both = { bias: [1, 2], weight: [3] }
  const updating =
    (link: Transform<never>, shapes: Readonly<Record<string, readonly number[]>> = both) =>
    (): unknown =>
      t.scope(() => {
        const tree = Object.fromEntries(Object.entries(shapes).map(([name, x]) => [name, t.tensor(x)]))
        return link.update(tree, {}, tree, link.hyper(0)).updates
      })
  const nowhere = (): boolean => false

  test.each([
    [() => clipByValue(0), RangeError, 'clipByValue: limit must be a finite number above 0, got 0'],
    [() => clipByNorm(-1), RangeError, 'clipByNorm: maxNorm must be a finite number above 0, got -1'],
    [
      () => clipByNorm('1' as never),
      TypeError,
      'clipByNorm: maxNorm must be a finite number above 0, got a string',
    ],
    [
      () => addDecayedWeights({ weightDecay: -0.1 }),
      RangeError,
      'addDecayedWeights: weightDecay must be a finite number from 0 on, got -0.1',
    ],
    [
      () => addDecayedWeights({ weightDecay: 1, at: 'weight' as never }),
      TypeError,
      "addDecayedWeights: at must be a function of paths, got a string; pass (path) => path.endsWith('weight')",
    ],
    [
      updating(addDecayedWeights({ weightDecay: 1, at: nowhere })),
      RangeError,
      'addDecayedWeights: at is on no leaf; there are bias, weight',
    ],
    [() => trace({ decay: 1 }), RangeError, 'trace: decay must be a finite number from 0 to below 1, got 1'],
    [() => ema({ decay: 1 }), RangeError, 'ema: decay must be a finite number from 0 to below 1, got 1'],
    [
      () => ewma({ decay: -0.5 }),
      RangeError,
      'ewma: decay must be a finite number from 0 to below 1, got -0.5',
    ],
    [
      () => addNoise({ key: 3 as never, eta: 1 }),
      TypeError,
      'addNoise: key must be a key, got a number; pass t.key(1)',
    ],
    [
      () => addNoise({ key: t.key(3), eta: -1 }),
      RangeError,
      'addNoise: eta must be a finite number from 0 on, got -1',
    ],
    [
      () => addNoise({ key: t.key(3), eta: 1, gamma: Number.NaN }),
      RangeError,
      'addNoise: gamma must be a finite number from 0 on, got NaN',
    ],
    [() => accumulate(0), RangeError, 'accumulate: k must be an integer from 1 on, got 0'],
    [() => accumulate(1.5), RangeError, 'accumulate: k must be an integer from 1 on, got 1.5'],
    [() => accumulate(2).hyper(-1), RangeError, 'accumulate: step must be an integer from 0 on, got -1'],
    [
      () => masked(clipByNorm as never, isWeight),
      TypeError,
      'masked: a transform is needed, got a function; call it: clipByGlobalNorm(1)',
    ],
    [
      () => masked(clipByNorm(1), undefined as never),
      TypeError,
      "masked: at must be a function of paths, got undefined; pass (path) => path.endsWith('weight')",
    ],
    [
      updating(masked(descend({ learningRate: 1 }) as never, isWeight)),
      TypeError,
      'masked: a transform is needed, got an optimizer; use it at the end of the chain',
    ],
    [
      updating(masked(clipByNorm(1), nowhere)),
      RangeError,
      'masked: at is on no leaf; there are bias, weight',
    ],
    [
      updating(masked(clipByNorm(1), everywhere), {}),
      RangeError,
      'masked: at is on no leaf; there are no tensors',
    ],
    [() => perPath([]), RangeError, 'perPath: at least one factor is needed, got 0; pass [{ at, factor }]'],
    [
      () => perPath({ at: isWeight, factor: 1 } as never),
      TypeError,
      'perPath: a list of factors is needed, got an object; pass [{ at, factor }]',
    ],
    [() => perPath([0.5] as never), TypeError, 'perPath: factor0 must be { at, factor }, got a number'],
    [
      () => perPath([{ at: isWeight, factor: 1 }, { factor: 2 } as never]),
      TypeError,
      "perPath: at of factor1 must be a function of paths, got undefined; pass (path) => path.endsWith('weight')",
    ],
    [
      () => perPath([{ at: isWeight, factor: -1 }]),
      RangeError,
      'perPath: factor0 must be a finite number from 0 on, got -1',
    ],
    [
      updating(
        perPath([
          { at: isWeight, factor: 1 },
          { at: nowhere, factor: 2 },
        ]),
      ),
      RangeError,
      'perPath: at of factor1 is on no leaf; there are bias, weight',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})
