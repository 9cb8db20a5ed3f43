import * as t from '@tapeflow/autodiff'
import { activation, batchNorm, dropout, linear, relu, sequential, sigmoid, tanh } from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Linear = { readonly weight: readonly (readonly number[])[]; readonly bias?: readonly number[] }

const elementwise =
  (f: (x: number) => number) =>
  (_: unknown, x: readonly number[]): readonly number[] =>
    x.map(f)

function linearRows(params: unknown, x: readonly number[]): readonly number[] {
  const { weight, bias } = params as Linear
  const size = weight.length
  return Array.from({ length: x.length / size }, (_, row) =>
    weight[0]!.map((_, out) =>
      weight.reduce((sum, w, i) => sum + x[row * size + i]! * w[out]!, bias?.[out] ?? 0),
    ),
  ).flat()
}

/** The layers that everything is made of. */
export const rows: readonly LayerRow[] = [
  { name: 'linear', layer: linear(3, 2), sample: [3], reference: linearRows },
  { name: 'linear on samples of two axes', layer: linear(3, 2), sample: [4, 3], reference: linearRows },
  {
    name: 'linear without a bias',
    layer: linear(3, 2, { useBias: false }),
    sample: [3],
    reference: linearRows,
  },
  { name: 'relu', layer: relu(), sample: [5], reference: elementwise((x) => Math.max(x, 0)) },
  { name: 'sigmoid', layer: sigmoid(), sample: [5], reference: elementwise((x) => 1 / (1 + Math.exp(-x))) },
  { name: 'tanh', layer: tanh(), sample: [5], reference: elementwise(Math.tanh) },
  {
    name: 'activation',
    layer: activation('swish', (x) => t.mul(x, t.sigmoid(x))),
    sample: [2, 3],
    saved: false,
    reference: elementwise((x) => x / (1 + Math.exp(-x))),
  },
  { name: 'dropout', layer: dropout(0.5), sample: [6], reference: elementwise((x) => x) },
  { name: 'batchNorm', layer: batchNorm(), sample: [3], rowsMix: true },
  { name: 'batchNorm of images', layer: batchNorm({ center: false }), sample: [2, 2, 3], rowsMix: true },
  {
    name: 'sequential',
    layer: sequential(linear(3, 4), tanh(), dropout(0.3), sequential(linear(4, 2), relu())),
    sample: [3],
  },
]
