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

const elementwise =
  (f: (x: number) => number) =>
  (_: unknown, x: readonly number[]): readonly number[] =>
    x.map(f)

/** Of each row of `size` numbers. */
const byRow =
  (f: (row: readonly number[]) => readonly number[]) =>
  (_: unknown, x: readonly number[], shape: readonly number[]): readonly number[] => {
    const size = shape[shape.length - 1]!
    return Array.from({ length: x.length / size }, (_, i) => f(x.slice(i * size, (i + 1) * size))).flat()
  }

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The standard normal distribution, by its series: sum of (-1)^k x^(2k+1) / (2^k k! (2k+1)). */
function normalBelow(x: number): number {
  let [term, total] = [x, x]
  for (let k = 1; k < 80; k++) {
    term *= -(x * x) / (2 * k)
    total += term / (2 * k + 1)
  }
  return 0.5 + total / Math.sqrt(2 * Math.PI)
}

const [lambda, alpha] = [1.0507009873554805, 1.6732632423543772]
const sample = [7]

/** Activations, from their formulas. */
export const rows: readonly LayerRow[] = [
  { name: 'step', layer: step(), sample, reference: elementwise((x) => Number(x >= 0)) },
  { name: 'identity', layer: identity(), sample, reference: elementwise((x) => x) },
  { name: 'leakyRelu', layer: leakyRelu(), sample, reference: elementwise((x) => (x > 0 ? x : 0.01 * x)) },
  {
    name: 'leakyRelu 0.3',
    layer: leakyRelu(0.3),
    sample,
    reference: elementwise((x) => (x > 0 ? x : 0.3 * x)),
  },
  { name: 'elu', layer: elu(), sample, reference: elementwise((x) => (x > 0 ? x : Math.exp(x) - 1)) },
  {
    name: 'elu 0.5',
    layer: elu(0.5),
    sample,
    reference: elementwise((x) => (x > 0 ? x : 0.5 * (Math.exp(x) - 1))),
  },
  {
    name: 'selu',
    layer: selu(),
    sample,
    reference: elementwise((x) => lambda * (x > 0 ? x : alpha * (Math.exp(x) - 1))),
  },
  { name: 'gelu', layer: gelu(), sample, reference: elementwise((x) => x * normalBelow(x)) },
  {
    name: 'gelu by tanh',
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
  {
    name: 'softmax',
    layer: softmax(),
    sample: [2, 3],
    reference: byRow((row) => row.map((x) => Math.exp(x) / sum(row.map(Math.exp)))),
  },
  {
    name: 'logSoftmax',
    layer: logSoftmax(),
    sample: [2, 3],
    reference: byRow((row) => row.map((x) => x - Math.log(sum(row.map(Math.exp))))),
  },
]
