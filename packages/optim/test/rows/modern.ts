import {
  adam,
  chain,
  descend,
  lamb,
  lion,
  lookahead,
  momentum,
  sam,
  scaleByLion,
  scaleByTrustRatio,
  sgd,
} from '@tapeflow/optim'
import { constantly, type Reference, type Row } from './row.ts'

const length = (values: readonly number[]): number => Math.hypot(...values)

/** The parts of a flat vector that are tensors. */
function parts(flat: readonly number[], sizes: readonly number[]): number[][] {
  let from = 0
  return sizes.map((size) => flat.slice(from, (from += size)))
}

/** ‖w‖ / ‖u‖ of each tensor, for each of its elements; 1 where either is 0. */
function ratios(w: readonly number[], u: readonly number[], sizes: readonly number[]): number[] {
  const [ws, us] = [parts(w, sizes), parts(u, sizes)]
  return sizes.flatMap((size, i) => {
    const [above, below] = [length(ws[i]!), length(us[i]!)]
    return Array<number>(size).fill(above === 0 || below === 0 ? 1 : above / below)
  })
}

/** You et al. 2020, Algorithm 2, with φ the identity. */
function lambReference(rate: number, { epsilon = 1e-6, epsilonRoot = 0, weightDecay = 0 } = {}): Reference {
  let m: number[] = []
  let v: number[] = []
  return (params, gradients, step, { sizes }) => {
    m = gradients.map((g, i) => 0.9 * (m[i] ?? 0) + 0.1 * g)
    v = gradients.map((g, i) => 0.999 * (v[i] ?? 0) + 0.001 * g * g)
    const [left1, left2] = [1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)]
    const r = m.map((mean, i) => mean / left1 / (Math.sqrt(v[i]! / left2 + epsilonRoot) + epsilon))
    const u = r.map((x, i) => x + weightDecay * params[i]!)
    const scale = ratios(params, u, sizes)
    return params.map((w, i) => w - rate * scale[i]! * u[i]!)
  }
}

/** Chen et al. 2023, Program 1: the sign of one interpolation, the memory by another. */
function lionReference(rate: number, { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = {}): Reference {
  let m: number[] = []
  return (params, gradients) => {
    const before = gradients.map((_, i) => m[i] ?? 0)
    m = gradients.map((g, i) => beta2 * before[i]! + (1 - beta2) * g)
    return params.map((w, i) => {
      const update = Math.sign(beta1 * before[i]! + (1 - beta1) * gradients[i]!)
      return w - rate * (update + weightDecay * w)
    })
  }
}

/** Zhang et al. 2019, Algorithm 1: after k fast steps φ = φ + α (θ - φ), and θ starts anew from there. */
function lookaheadReference(inner: Reference, every: number, slowStep: number): Reference {
  let slow: readonly number[] | undefined
  return (params, gradients, step, surroundings) => {
    const from = slow ?? params
    const fast = inner(params, gradients, step, surroundings)
    const meets = step % every === every - 1
    slow = meets ? from.map((s, i) => s + slowStep * (fast[i]! - s)) : from
    return meets ? [...slow] : fast
  }
}

/** Foret et al. 2021, Algorithm 1; adaptive: Kwon et al. 2021, with T = |w|. */
function samReference(inner: Reference, radius: number, adaptive = false): Reference {
  return (params, gradients, step, surroundings) => {
    const t = params.map((w) => (adaptive ? Math.abs(w) : 1))
    const long = length(gradients.map((g, i) => t[i]! * g))
    const moved = params.map((w, i) => w + (long === 0 ? 0 : (radius * t[i]! ** 2 * gradients[i]!) / long))
    return inner(params, surroundings.evaluate(moved).gradient, step, surroundings)
  }
}

const descent =
  (rate: number): Reference =>
  (params, gradients) =>
    params.map((w, i) => w - rate * gradients[i]!)

function heavyBall(rate: (step: number) => number): Reference {
  let v: number[] = []
  return (params, gradients, step) => {
    v = gradients.map((g, i) => 0.9 * (v[i] ?? 0) + rate(step) * g)
    return params.map((w, i) => w - v[i]!)
  }
}

function adamReference(rate: number): Reference {
  let m: number[] = []
  let v: number[] = []
  return (params, gradients, step) => {
    m = gradients.map((g, i) => 0.9 * (m[i] ?? 0) + 0.1 * g)
    v = gradients.map((g, i) => 0.999 * (v[i] ?? 0) + 0.001 * g * g)
    const [left1, left2] = [1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)]
    return params.map((w, i) => w - (rate * m[i]!) / left1 / (Math.sqrt(v[i]! / left2) + 1e-8))
  }
}

/** Trees that the loss of the laws makes where an update evaluates it: gradients, and what they are made of. */
const lookingAround = 10

export const rows: readonly Row[] = [
  {
    name: 'lamb',
    optimizer: (rate) => lamb({ learningRate: rate }),
    reference: (rate) => lambReference(rate),
  },
  {
    name: 'lamb with decay',
    optimizer: (rate) => lamb({ learningRate: rate, epsilon: 0.1, weightDecay: 0.3 }),
    reference: (rate) => lambReference(rate, { epsilon: 0.1, weightDecay: 0.3 }),
  },
  {
    name: 'lamb with epsilonRoot',
    optimizer: (rate) => lamb({ learningRate: rate, epsilonRoot: 0.5 }),
    reference: (rate) => lambReference(rate, { epsilonRoot: 0.5 }),
  },
  {
    name: 'scaleByTrustRatio and descend',
    optimizer: (rate) => chain(scaleByTrustRatio(), descend({ learningRate: rate })),
    trees: 1,
    reference:
      (rate) =>
      (params, gradients, _, { sizes }) => {
        const scale = ratios(params, gradients, sizes)
        return params.map((w, i) => w - rate * scale[i]! * gradients[i]!)
      },
  },
  {
    name: 'lion',
    optimizer: (rate) => lion({ learningRate: rate }),
    reference: (rate) => lionReference(rate),
  },
  {
    name: 'lion with decay',
    optimizer: (rate) => lion({ learningRate: rate, beta1: 0.5, beta2: 0.8, weightDecay: 0.7 }),
    reference: (rate) => lionReference(rate, { beta1: 0.5, beta2: 0.8, weightDecay: 0.7 }),
  },
  {
    name: 'scaleByLion and descend',
    optimizer: (rate) => chain(scaleByLion(), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => lionReference(rate),
  },
  {
    name: 'lookahead of momentum',
    optimizer: (rate) => lookahead(momentum({ learningRate: rate / 10 })),
    trees: 1,
    reference: (rate) => lookaheadReference(heavyBall(constantly(rate / 10)), 5, 0.5),
  },
  {
    name: 'lookahead of adam, every 3, 0.8 of the way',
    optimizer: (rate) => lookahead(adam({ learningRate: rate }), { every: 3, slowStep: 0.8 }),
    trees: 1,
    reference: (rate) => lookaheadReference(adamReference(rate), 3, 0.8),
  },
  {
    name: 'sam of sgd',
    optimizer: (rate) => sam(sgd({ learningRate: rate })),
    trees: lookingAround,
    reference: (rate) => samReference(descent(rate), 0.05),
  },
  {
    name: 'adaptive sam of momentum',
    optimizer: (rate) => sam(momentum({ learningRate: rate / 10 }), { radius: 0.2, adaptive: true }),
    trees: lookingAround,
    reference: (rate) => samReference(heavyBall(constantly(rate / 10)), 0.2, true),
  },
  {
    name: 'lookahead of sam of momentum',
    optimizer: (rate) => lookahead(sam(momentum({ learningRate: rate / 10 })), { every: 2 }),
    trees: lookingAround,
    reference: (rate) => lookaheadReference(samReference(heavyBall(constantly(rate / 10)), 0.05), 2, 0.5),
  },
]
