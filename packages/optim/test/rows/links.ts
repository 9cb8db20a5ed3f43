import * as t from '@tapeflow/autodiff'
import {
  accumulate,
  addDecayedWeights,
  addNoise,
  applyIfFinite,
  centralize,
  chain,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  descend,
  ema,
  ewma,
  masked,
  perPath,
  type Transform,
  trace,
  zeroNaNs,
} from '@tapeflow/optim'
import type { Reference, Row, Surroundings } from './row.ts'

/** Updates as a link changes them, in plain float64, with memory of its own where it needs some. */
type Change = (
  updates: readonly number[],
  at: { readonly params: readonly number[]; readonly step: number } & Surroundings,
) => readonly number[]

/** w = w - lr change(g): plain descent through one link. */
const through = (rate: number, change: Change): Reference => {
  return (params, gradients, step, surroundings) => {
    const changed = change(gradients, { ...surroundings, params, step })
    return params.map((w, i) => w - rate * changed[i]!)
  }
}

const row = (name: string, link: Transform<string>, changing: () => Change, more?: Partial<Row>): Row => ({
  name,
  optimizer: (rate) => chain(link, descend({ learningRate: rate })),
  reference: (rate) => through(rate, changing()),
  trees: 1,
  ...more,
})

/** Flat numbers cut up by tensor, changed, and put together. */
const perTensor = (
  flat: readonly number[],
  sizes: readonly number[],
  change: (part: readonly number[], tensor: number) => readonly number[],
): number[] => {
  let from = 0
  return sizes.flatMap((size, i) => {
    const part = flat.slice(from, from + size)
    from += size
    return change(part, i)
  })
}

const clipped = (bound: number, part: readonly number[]): number[] => {
  const factor = bound / Math.max(bound, Math.hypot(...part))
  return part.map((u) => u * factor)
}

// Some leaves of every tree that the tests have, and not all of all.
const some = (path: string): boolean => !/^(x|biases|scale)/.test(path)
const byPath = 'what a leaf gets depends on its path'

export const rows: readonly Row[] = [
  row('clipByGlobalNorm', clipByGlobalNorm(2), () => (updates) => clipped(2, updates)),
  row('clipByNorm', clipByNorm(1), () => (updates, { sizes }) => {
    return perTensor(updates, sizes, (part) => clipped(1, part))
  }),
  row('clipByValue', clipByValue(0.75), () => (updates) => {
    return updates.map((u) => Math.min(Math.max(u, -0.75), 0.75))
  }),
  row('addDecayedWeights', addDecayedWeights({ weightDecay: 0.1 }), () => (updates, { params }) => {
    return updates.map((u, i) => u + 0.1 * params[i]!)
  }),
  row(
    'addDecayedWeights by path',
    addDecayedWeights({ weightDecay: 0.1, at: some }),
    () =>
      (updates, { params, sizes, paths }) => {
        const shares = perTensor(updates, sizes, (part, i) => part.map(() => (some(paths[i]!) ? 0.1 : 0)))
        return updates.map((u, i) => u + shares[i]! * params[i]!)
      },
    { byPath },
  ),
  {
    name: 'trace',
    optimizer: (rate) => chain(trace({ decay: 0.9 }), descend({ learningRate: rate / 10 })),
    reference: (rate) => through(rate / 10, tracing(0.9, false)),
    trees: 1,
    golden: 'momentum',
  },
  {
    name: 'trace, nesterov',
    optimizer: (rate) => chain(trace({ decay: 0.9, nesterov: true }), descend({ learningRate: rate / 10 })),
    reference: (rate) => through(rate / 10, tracing(0.9, true)),
    trees: 1,
    golden: 'nesterov',
  },
  row('ema', ema({ decay: 0.8 }), () => averaging(0.8, true)),
  row('ema without correction', ema({ decay: 0.8, biasCorrection: false }), () => averaging(0.8, false)),
  row('ewma', ewma({ decay: 0.8 }), () => (updates) => updates),
  row('ewma without correction', ewma({ decay: 0.8, biasCorrection: false }), () => (updates) => updates),
  row('centralize', centralize(), () => (updates, { sizes, shapes }) => {
    return perTensor(updates, sizes, (part, i) => {
      const [columns, rank] = [shapes[i]!.at(-1)!, shapes[i]!.length]
      if (rank < 2) return part
      const column = (k: number): number[] => part.filter((_, j) => j % columns === k % columns)
      return part.map((u, k) => u - column(k).reduce((a, b) => a + b, 0) / column(k).length)
    })
  }),
  row(
    'addNoise',
    addNoise({ key: t.key(5), eta: 0.04 }),
    () =>
      (updates, { step, sizes, paths }) => {
        const deviation = Math.sqrt(0.04 / (1 + step) ** 0.55)
        return perTensor(updates, sizes, (part, i) => {
          const noise = t.normalValues(t.foldIn(t.foldIn(t.key(5), paths[i]!), step), part.length)
          return part.map((u, k) => u + deviation * noise[k]!)
        })
      },
    { byPath, mustBeNumbers: ['0:step'] },
  ),
  row(
    'accumulate',
    accumulate(3),
    () => {
      let gathered: (readonly number[])[] = []
      return (updates) => {
        gathered.push(updates)
        if (gathered.length < 3) return updates.map(() => 0)
        const means = updates.map((_, i) => gathered.reduce((sum, one) => sum + one[i]!, 0) / 3)
        gathered = []
        return means
      }
    },
    // The means, and the parameters that there would be.
    { trees: 2 },
  ),
  row('accumulate(1)', accumulate(1), () => (updates) => updates, { trees: 2 }),
  row('zeroNaNs', zeroNaNs(), () => (updates) => updates),
  row('applyIfFinite', applyIfFinite(), () => (updates) => updates),
  row(
    'masked clipByGlobalNorm',
    masked(clipByGlobalNorm(1), some),
    () =>
      (updates, { sizes, paths }) => {
        const chosen = perTensor(updates, sizes, (part, i) => (some(paths[i]!) ? part : []))
        const factor = 1 / Math.max(1, Math.hypot(...chosen))
        return perTensor(updates, sizes, (part, i) => part.map((u) => (some(paths[i]!) ? u * factor : u)))
      },
    { byPath },
  ),
  row(
    'perPath',
    perPath([
      { at: some, factor: 0.5 },
      { at: () => true, factor: 1.25 },
    ]),
    () =>
      (updates, { sizes, paths }) =>
        perTensor(updates, sizes, (part, i) => part.map((u) => u * (some(paths[i]!) ? 0.5 : 1.25))),
    { byPath },
  ),
]

function tracing(beta: number, ahead: boolean): Change {
  let v: number[] = []
  return (updates) => {
    v = updates.map((u, i) => beta * (v[i] ?? 0) + u)
    return ahead ? updates.map((u, i) => beta * v[i]! + u) : v
  }
}

function averaging(beta: number, corrected: boolean): Change {
  let m: number[] = []
  return (updates, { step }) => {
    m = updates.map((u, i) => beta * (m[i] ?? 0) + (1 - beta) * u)
    return corrected ? m.map((x) => x / (1 - beta ** (step + 1))) : m
  }
}
