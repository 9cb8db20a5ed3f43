import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  concat,
  dropout,
  identity,
  lambda,
  linear,
  parallel,
  relu,
  residual,
  sequential,
  tanh,
} from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Linear = { readonly weight: readonly (readonly number[])[]; readonly bias: readonly number[] }

const products = ({ weight, bias }: Linear, row: readonly number[]): readonly number[] =>
  bias.map((b, out) => weight.reduce((sum, w, i) => sum + row[i]! * w[out]!, b))

/** Of each row of three numbers. */
const byRow =
  <P>(f: (params: P, row: readonly number[]) => readonly number[]) =>
  (params: unknown, x: readonly number[]): readonly number[] =>
    Array.from({ length: x.length / 3 }, (_, i) => f(params as P, x.slice(3 * i, 3 * i + 3))).flat()

const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + b[i]!)

type Pair = { readonly layers: readonly [Linear, Linear] }
const joined = (join: (a: number, b: number) => number) =>
  byRow<Pair>(({ layers: [first, second] }, row) => {
    const other = products(second, row)
    return products(first, row).map((value, i) => join(value, other[i]!))
  })
const two = (): [ReturnType<typeof linear<3, 2>>, ReturnType<typeof linear<3, 2>>] => [
  linear(3, 2),
  linear(3, 2),
]
const sample = [3]

/** Layers made of layers. */
export const rows: readonly LayerRow[] = [
  { name: 'parallel', layer: parallel(two()), sample, reference: joined((a, b) => a + b) },
  {
    name: 'parallel, mean',
    layer: parallel(two(), { join: 'mean' }),
    sample,
    reference: joined((a, b) => (a + b) / 2),
  },
  {
    name: 'parallel, product',
    layer: parallel(two(), { join: 'product' }),
    sample,
    reference: joined((a, b) => a * b),
  },
  { name: 'parallel, max', layer: parallel(two(), { join: 'max' }), sample, reference: joined(Math.max) },
  {
    name: 'concat',
    layer: concat([linear(3, 2), identity(), linear(3, 1)]),
    sample,
    reference: byRow<{ layers: [Linear, null, Linear] }>(({ layers }, row) => [
      ...products(layers[0], row),
      ...row,
      ...products(layers[2], row),
    ]),
  },
  {
    name: 'concat of layers with noise',
    layer: concat([dropout(0.5), sequential(linear(3, 2), dropout(0.5))]),
    sample,
  },
  {
    name: 'residual',
    layer: residual(linear(3, 3)),
    sample,
    reference: byRow<{ layer: Linear }>(({ layer }, row) => plus(row, products(layer, row))),
  },
  {
    name: 'residual with a shortcut',
    layer: residual(sequential(linear(3, 2), tanh()), { shortcut: linear(3, 2) }),
    sample,
    reference: byRow<{ layer: { layers: [Linear, null] }; shortcut: Linear }>(({ layer, shortcut }, row) =>
      plus(products(shortcut, row), products(layer.layers[0], row).map(Math.tanh)),
    ),
  },
  {
    name: 'residual with batch norm',
    layer: residual(sequential(linear(3, 3), batchNorm(), relu())),
    sample,
    rowsMix: true,
  },
  {
    name: 'lambda',
    layer: lambda('sum', (x) => t.sum(x, { axis: -1, keepDims: true })),
    sample,
    reference: byRow((_, row) => [row.reduce((sum, value) => sum + value)]),
  },
]
