import {
  adamax,
  adamw,
  amsgrad,
  chain,
  cosineDecay,
  descend,
  nadam,
  radam,
  scaleByAdamax,
  scaleByAmsgrad,
  scaleByNadam,
  scaleByRadam,
} from '@tapeflow/optim'
import { constantly, type Reference, type Row } from './row.ts'

type Options<F extends (options: never) => unknown> = Omit<NonNullable<Parameters<F>[0]>, 'learningRate'>
type Rate = (step: number) => number

const falling =
  (rate: number): Rate =>
  (step) =>
    (rate * (1 + Math.cos(Math.PI * Math.min(step / 25, 1)))) / 2

/** Moving means of gradients and their squares, of all parameters. */
function means(beta1: number, beta2: number) {
  let m: readonly number[] = []
  let v: readonly number[] = []
  return (gradients: readonly number[]): { m: readonly number[]; v: readonly number[] } => {
    m = gradients.map((g, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * g)
    v = gradients.map((g, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * g ** 2)
    return { m, v }
  }
}

/** Loshchilov & Hutter 2019, Algorithm 2, with the decay times the rate; it decays the indices that it is told. */
function adamwReference(
  rate: Rate,
  {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    epsilonRoot = 0,
    weightDecay = 0.01,
    epsilonHat = false,
  }: Options<typeof adamw>,
): Reference {
  const next = means(beta1, beta2)
  return (params, gradients, step) => {
    const { m, v } = next(gradients)
    const corrected = 1 - beta2 ** (step + 1)
    return params.map((w, i) => {
      const root = Math.sqrt(v[i]! / corrected + epsilonRoot)
      const adapted =
        m[i]! / (1 - beta1 ** (step + 1)) / (root + (epsilonHat ? epsilon / Math.sqrt(corrected) : epsilon))
      return w - rate(step) * (adapted + weightDecay * w)
    })
  }
}

const adamwRow = (options: Options<typeof adamw>): Row => ({
  name: `adamw ${JSON.stringify(options)}`,
  optimizer: (rate) => adamw({ learningRate: rate, ...options }),
  reference: (rate) => adamwReference(constantly(rate), options),
})

/** Reddi et al. 2018, Algorithm 2, with Adam's corrections on m and the largest v. */
function amsgradReference(
  rate: Rate,
  {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    epsilonRoot = 0,
    epsilonHat = false,
  }: Options<typeof amsgrad>,
): Reference {
  const next = means(beta1, beta2)
  let largest: number[] = []
  return (params, gradients, step) => {
    const { m, v } = next(gradients)
    largest = v.map((now, i) => Math.max(largest[i] ?? 0, now))
    const corrected = 1 - beta2 ** (step + 1)
    return params.map((w, i) => {
      const root = Math.sqrt(largest[i]! / corrected + epsilonRoot)
      const added = epsilonHat ? epsilon / Math.sqrt(corrected) : epsilon
      return w - (rate(step) * m[i]!) / (1 - beta1 ** (step + 1)) / (root + added)
    })
  }
}

const amsgradRow = (options: Options<typeof amsgrad>): Row => ({
  name: `amsgrad ${JSON.stringify(options)}`,
  optimizer: (rate) => amsgrad({ learningRate: rate, ...options }),
  reference: (rate) => amsgradReference(constantly(rate), options),
})

/** Kingma & Ba 2015, Algorithm 2, with an epsilon in one of two places. */
function adamaxReference(
  rate: Rate,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonIn = 'denominator' }: Options<typeof adamax>,
): Reference {
  const [early, late] = epsilonIn === 'gradient' ? [epsilon, 0] : [0, epsilon]
  let m: number[] = []
  let u: number[] = []
  return (params, gradients, step) => {
    m = gradients.map((g, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * g)
    u = gradients.map((g, i) => Math.max(beta2 * (u[i] ?? 0), Math.abs(g) + early))
    return params.map((w, i) => w - ((rate(step) / (1 - beta1 ** (step + 1))) * m[i]!) / (u[i]! + late))
  }
}

const adamaxRow = (options: Options<typeof adamax>): Row => ({
  name: `adamax ${JSON.stringify(options)}`,
  optimizer: (rate) => adamax({ learningRate: rate, ...options }),
  reference: (rate) => adamaxReference(constantly(rate), options),
})

/** Dozat 2016 with the schedule of momentum that is proposed there, m kept by beta1: the formula in PyTorch's documentation. */
function nadamReference(
  rate: Rate,
  {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    epsilonRoot = 0,
    momentumDecay = 0.004,
  }: Options<typeof nadam>,
): Reference {
  const next = means(beta1, beta2)
  const mu = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay))
  let product = 1
  return (params, gradients, step) => {
    const t = step + 1
    const { m, v } = next(gradients)
    product *= mu(t)
    return params.map((w, i) => {
      const ahead =
        (mu(t + 1) * m[i]!) / (1 - product * mu(t + 1)) + ((1 - mu(t)) * gradients[i]!) / (1 - product)
      return w - (rate(step) * ahead) / (Math.sqrt(v[i]! / (1 - beta2 ** t) + epsilonRoot) + epsilon)
    })
  }
}

const nadamRow = (options: Options<typeof nadam>): Row => ({
  name: `nadam ${JSON.stringify(options)}`,
  optimizer: (rate) => nadam({ learningRate: rate, ...options }),
  reference: (rate) => nadamReference(constantly(rate), options),
})

/** Liu et al. 2020, Algorithm 2, with the epsilon and the threshold of the authors' code. */
function radamReference(
  rate: Rate,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, threshold = 5 }: Options<typeof radam>,
): Reference {
  const next = means(beta1, beta2)
  const most = 2 / (1 - beta2) - 1
  return (params, gradients, step) => {
    const t = step + 1
    const { m, v } = next(gradients)
    const length = most - (2 * t * beta2 ** t) / (1 - beta2 ** t)
    return params.map((w, i) => {
      const mean = m[i]! / (1 - beta1 ** t)
      if (length <= threshold) return w - rate(step) * mean
      const rectification = Math.sqrt(
        ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length),
      )
      const corrected = 1 - beta2 ** t
      const adaptive = Math.sqrt(corrected) / (Math.sqrt(v[i]! + epsilonRoot * corrected) + epsilon)
      return w - rate(step) * rectification * mean * adaptive
    })
  }
}

// At first its steps are those of descent with momentum, for which the rates of the problems are large.
const radamRow = (options: Options<typeof radam>): Row => ({
  name: `radam ${JSON.stringify(options)}`,
  optimizer: (rate) => radam({ learningRate: rate / 2, ...options }),
  reference: (rate) => radamReference(constantly(rate / 2), options),
})

export const rows: readonly Row[] = [
  { ...adamwRow({}), golden: 'adamw' },
  adamwRow({ weightDecay: 0 }),
  { ...adamwRow({ weightDecay: 2, beta1: 0.5, beta2: 0.9 }), golden: 'adamw, a large decay' },
  adamwRow({ weightDecay: 0.5, epsilon: 0.1, epsilonRoot: 0.1, epsilonHat: true }),
  {
    name: 'adamw on a schedule',
    optimizer: (rate) =>
      adamw({ learningRate: cosineDecay({ from: rate, steps: 25 }), weightDecay: 2, at: () => true }),
    reference: (rate) => adamwReference(falling(rate), { weightDecay: 2 }),
  },
  { ...amsgradRow({}), golden: 'amsgrad' },
  { ...amsgradRow({ beta1: 0.5, beta2: 0.5 }), golden: 'amsgrad, forgetting fast' },
  amsgradRow({ epsilon: 0.1, epsilonRoot: 0.1, beta2: 0.9 }),
  amsgradRow({ epsilon: 0.1, epsilonHat: true }),
  {
    name: 'scaleByAmsgrad and descend',
    optimizer: (rate) => chain(scaleByAmsgrad({ beta2: 0.9 }), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => amsgradReference(constantly(rate), { beta2: 0.9 }),
  },
  adamaxRow({}),
  { ...adamaxRow({ epsilonIn: 'gradient' }), golden: 'adamax' },
  {
    ...adamaxRow({ epsilonIn: 'gradient', epsilon: 0.1, beta1: 0.5, beta2: 0.5 }),
    golden: 'adamax, forgetting fast',
  },
  adamaxRow({ epsilon: 0.1, beta1: 0, beta2: 0.5 }),
  {
    name: 'scaleByAdamax and descend',
    optimizer: (rate) => chain(scaleByAdamax(), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => adamaxReference(constantly(rate), {}),
  },
  { ...nadamRow({}), golden: 'nadam' },
  { ...nadamRow({ momentumDecay: 1 }), golden: 'nadam as in Keras' },
  nadamRow({ momentumDecay: 1e9, beta1: 0.5 }),
  nadamRow({ momentumDecay: 0, epsilon: 0.1, epsilonRoot: 0.1 }),
  {
    name: 'scaleByNadam and descend',
    optimizer: (rate) => chain(scaleByNadam(), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => nadamReference(constantly(rate), {}),
  },
  { ...radamRow({}), golden: 'radam' },
  { ...radamRow({ beta1: 0.5, beta2: 0.9 }), golden: 'radam, forgetting fast' },
  radamRow({ threshold: 4, epsilon: 0.1, epsilonRoot: 0.1 }),
  radamRow({ beta2: 0.5 }),
  {
    name: 'scaleByRadam and descend',
    optimizer: (rate) => chain(scaleByRadam({ beta2: 0.99 }), descend({ learningRate: rate / 2 })),
    trees: 1,
    reference: (rate) => radamReference(constantly(rate / 2), { beta2: 0.99 }),
  },
]
