import {
  elu,
  gelu,
  hardSigmoid,
  identity,
  leakyRelu,
  logSoftmax,
  mish,
  selu,
  silu,
  softmax,
  softplus,
  softsign,
  step,
} from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Reference = NonNullable<LayerRow['reference']>

const elementwise =
  (f: (x: number) => number): Reference =>
  (_, x) =>
    x.map(f)

/** Applies `f` to each sample's features. */
const featurewise =
  (f: (x: readonly number[]) => readonly number[]): Reference =>
  (_, x, shape) => {
    const size = shape.at(-1)!
    return Array.from({ length: x.length / size }, (_, row) =>
      f(x.slice(row * size, (row + 1) * size)),
    ).flat()
  }

/** The share of a standard normal distribution below x, by the power series of erf: for |x| below 6. */
function normalBelow(x: number): number {
  const z = x / Math.SQRT2
  let [term, sum] = [z, z]
  for (let n = 1; n < 120; n++) {
    term *= (-z * z) / n
    sum += term / (2 * n + 1)
  }
  return 0.5 + sum / Math.sqrt(Math.PI)
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const [scale, alpha] = [1.0507009873554805, 1.6732632423543772]

function softmaxOf(x: readonly number[]): readonly number[] {
  const powers = x.map(Math.exp)
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

const sample = [5]

/** Activations of the course and after it. */
export const rows: readonly LayerRow[] = [
  { name: 'step', layer: step(), sample, reference: elementwise((x) => (x >= 0 ? 1 : 0)) },
  { name: 'identity', layer: identity(), sample: [2, 3], reference: elementwise((x) => x) },
  { name: 'leakyRelu', layer: leakyRelu(), sample, reference: elementwise((x) => (x > 0 ? x : x / 100)) },
  {
    name: 'leakyRelu, slope 0.3',
    layer: leakyRelu(0.3),
    sample: [2, 3],
    reference: elementwise((x) => (x > 0 ? x : 0.3 * x)),
  },
  { name: 'elu', layer: elu(), sample, reference: elementwise((x) => (x > 0 ? x : Math.exp(x) - 1)) },
  {
    name: 'elu, alpha 0.5',
    layer: elu(0.5),
    sample,
    reference: elementwise((x) => (x > 0 ? x : 0.5 * (Math.exp(x) - 1))),
  },
  {
    name: 'selu',
    layer: selu(),
    sample,
    reference: elementwise((x) => scale * (x > 0 ? x : alpha * (Math.exp(x) - 1))),
  },
  { name: 'gelu', layer: gelu(), sample, reference: elementwise((x) => x * normalBelow(x)) },
  {
    name: 'gelu, tanh',
    layer: gelu({ approximate: 'tanh' }),
    sample,
    reference: elementwise(
      (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ),
  },
  { name: 'silu', layer: silu(), sample, reference: elementwise((x) => x * sigmoid(x)) },
  {
    name: 'mish',
    layer: mish(),
    sample,
    reference: elementwise((x) => x * Math.tanh(Math.log(1 + Math.exp(x)))),
  },
  { name: 'softplus', layer: softplus(), sample, reference: elementwise((x) => Math.log(1 + Math.exp(x))) },
  { name: 'softsign', layer: softsign(), sample, reference: elementwise((x) => x / (1 + Math.abs(x))) },
  {
    name: 'hardSigmoid',
    layer: hardSigmoid(),
    sample,
    reference: elementwise((x) => Math.min(Math.max(x + 3, 0), 6) / 6),
  },
  { name: 'softmax', layer: softmax(), sample: [4], reference: featurewise(softmaxOf) },
  {
    name: 'softmax of samples of two axes',
    layer: softmax(),
    sample: [2, 3],
    reference: featurewise(softmaxOf),
  },
  {
    name: 'logSoftmax',
    layer: logSoftmax(),
    sample: [4],
    reference: featurewise((x) => softmaxOf(x).map(Math.log)),
  },
]
