import {
  adadelta,
  adagrad,
  chain,
  cosineDecay,
  descend,
  rmsprop,
  scaleByAdadelta,
  scaleByAdagrad,
  scaleByRms,
} from '@tapeflow/optim'
import { constantly, type Reference, type Row } from './row.ts'

type Options<F extends (options: never) => unknown> = Omit<NonNullable<Parameters<F>[0]>, 'learningRate'>
type Rate = (step: number) => number

const falling =
  (rate: number): Rate =>
  (step) =>
    (rate * (1 + Math.cos(Math.PI * Math.min(step / 25, 1)))) / 2

/** Duchi et al. 2011, with the diagonal matrix; the accumulator starts at a number, the rate falls as PyTorch's lr_decay has it. */
function adagradReference(
  rate: Rate,
  { initialAccumulator = 0, epsilon = 1e-10, epsilonRoot = 0, rateDecay = 0 }: Options<typeof adagrad>,
): Reference {
  let accumulator: number[] = []
  return (params, gradients, step) => {
    accumulator = gradients.map((g, i) => (accumulator[i] ?? initialAccumulator) + g * g)
    const now = rate(step) / (1 + step * rateDecay)
    return params.map(
      (w, i) => w - (now * gradients[i]!) / (Math.sqrt(accumulator[i]! + epsilonRoot) + epsilon),
    )
  }
}

const adagradRow = (options: Options<typeof adagrad>): Row => ({
  name: `adagrad ${JSON.stringify(options)}`,
  optimizer: (rate) => adagrad({ learningRate: rate, ...options }),
  reference: (rate) => adagradReference(constantly(rate), options),
})

/** Zeiler 2012, Algorithm 1, times a rate. */
function adadeltaReference(rate: Rate, { rho = 0.95, epsilon = 1e-6 }: Options<typeof adadelta>): Reference {
  let squares: number[] = []
  let steps: number[] = []
  const rms = (x: number): number => Math.sqrt(x + epsilon)
  return (params, gradients, step) => {
    squares = gradients.map((g, i) => rho * (squares[i] ?? 0) + (1 - rho) * g ** 2)
    const moves = gradients.map((g, i) => (-rms(steps[i] ?? 0) / rms(squares[i]!)) * g)
    steps = moves.map((move, i) => rho * (steps[i] ?? 0) + (1 - rho) * move ** 2)
    return params.map((w, i) => w + rate(step) * moves[i]!)
  }
}

// Its steps are small whatever the problem: rates are above those that descent is given.
const adadeltaRow = (options: Options<typeof adadelta>): Row => ({
  name: `adadelta ${JSON.stringify(options)}`,
  optimizer: (rate) => adadelta({ learningRate: 20 * rate, ...options }),
  reference: (rate) => adadeltaReference(constantly(20 * rate), options),
})

/** Tieleman & Hinton 2012, and Graves 2013, equations 38 to 41: the variance is the mean of squares less the squared mean. */
function rmspropReference(
  rate: Rate,
  {
    rho = 0.9,
    epsilon = 1e-8,
    epsilonRoot = 0,
    momentum = 0,
    centered = false,
    rate: place = 'inside',
  }: Options<typeof rmsprop>,
): Reference {
  let squares: number[] = []
  let means: number[] = []
  let velocity: number[] = []
  return (params, gradients, step) => {
    squares = gradients.map((g, i) => rho * (squares[i] ?? 0) + (1 - rho) * g ** 2)
    means = gradients.map((g, i) => rho * (means[i] ?? 0) + (1 - rho) * g)
    const [inner, outer] = place === 'inside' ? [rate(step), 1] : [1, rate(step)]
    velocity = gradients.map((g, i) => {
      const spread = centered ? squares[i]! - means[i]! ** 2 : squares[i]!
      return momentum * (velocity[i] ?? 0) + (inner * g) / (Math.sqrt(spread + epsilonRoot) + epsilon)
    })
    return params.map((w, i) => w - outer * velocity[i]!)
  }
}

const rmspropRow = (options: Options<typeof rmsprop>, schedule?: (rate: number) => Rate): Row => ({
  name: `rmsprop ${JSON.stringify(options)}${schedule === undefined ? '' : ' on a schedule'}`,
  optimizer: (rate) =>
    rmsprop({
      learningRate: schedule === undefined ? rate : cosineDecay({ from: rate, steps: 25 }),
      ...options,
    }),
  reference: (rate) => rmspropReference((schedule ?? constantly)(rate), options),
})

export const rows: readonly Row[] = [
  { ...adagradRow({}), golden: 'adagrad' },
  {
    ...adagradRow({ initialAccumulator: 0.5, rateDecay: 0.25, epsilon: 0.1 }),
    golden: 'adagrad, the rate falls',
  },
  adagradRow({ initialAccumulator: 0.1, epsilon: 0, epsilonRoot: 1e-7 }),
  {
    name: 'adagrad on a schedule',
    optimizer: (rate) => adagrad({ learningRate: cosineDecay({ from: rate, steps: 25 }), rateDecay: 0.1 }),
    reference: (rate) => adagradReference(falling(rate), { rateDecay: 0.1 }),
  },
  {
    name: 'scaleByAdagrad and descend',
    optimizer: (rate) => chain(scaleByAdagrad({ epsilonRoot: 0.1 }), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => adagradReference(constantly(rate), { epsilonRoot: 0.1 }),
  },
  adadeltaRow({}),
  { ...adadeltaRow({ rho: 0.9 }), golden: 'adadelta' },
  adadeltaRow({ rho: 0, epsilon: 0.1 }),
  {
    name: 'scaleByAdadelta and descend',
    optimizer: (rate) => chain(scaleByAdadelta(), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => adadeltaReference(constantly(rate), {}),
  },
  rmspropRow({}),
  { ...rmspropRow({ rho: 0.99 }), golden: 'rmsprop' },
  rmspropRow({ epsilon: 0, epsilonRoot: 1e-7 }),
  rmspropRow({ momentum: 0.5, epsilon: 0, epsilonRoot: 1e-7 }, falling),
  { ...rmspropRow({ momentum: 0.5, rate: 'outside', rho: 0.99 }, falling), golden: 'rmsprop with momentum' },
  { ...rmspropRow({ centered: true, rho: 0.99 }), golden: 'rmsprop, centered' },
  rmspropRow({ centered: true, momentum: 0.5, epsilon: 0.01 }),
  {
    ...rmspropRow({ centered: true, momentum: 0.5, epsilon: 0.01, rate: 'outside', rho: 0.9 }),
    golden: 'rmsprop, centered, with momentum',
  },
  {
    name: 'scaleByRms, centered, and descend',
    optimizer: (rate) =>
      chain(scaleByRms({ centered: true, epsilonRoot: 1e-3 }), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) => rmspropReference(constantly(rate), { centered: true, epsilonRoot: 1e-3 }),
  },
]
