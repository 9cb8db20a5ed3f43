import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  concat,
  dropout,
  features,
  freeze,
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
type Reference = NonNullable<LayerRow['reference']>

const linearOf = ({ weight, bias }: Linear, x: readonly number[]): number[] =>
  bias.map((b, out) => x.reduce((sum, value, i) => sum + value * weight[i]![out]!, b))

/** A definition for one sample's features at a time. */
const perSample =
  <P>(f: (params: P, x: readonly number[]) => readonly number[]): Reference =>
  (params, x, shape) => {
    const size = shape.at(-1)!
    return Array.from({ length: x.length / size }, (_, row) =>
      f(params as P, x.slice(row * size, (row + 1) * size)),
    ).flat()
  }

/** What layers are made of: side by side, around, and inside of each other. */
export const rows: readonly LayerRow[] = [
  {
    name: 'residual',
    layer: residual(sequential(linear(3, 4), tanh(), linear(4, 3))),
    sample: [3],
    reference: perSample<{ layer: { layers: readonly [Linear, null, Linear] } }>(({ layer }, x) => {
      const [first, , last] = layer.layers
      return linearOf(last, linearOf(first, x).map(Math.tanh)).map((y, i) => x[i]! + y)
    }),
  },
  {
    name: 'residual with a shortcut',
    layer: residual(linear(3, 2), { shortcut: linear(3, 2) }),
    sample: [2, 3],
    reference: perSample<{ layer: Linear; shortcut: Linear }>(({ layer, shortcut }, x) => {
      const passed = linearOf(shortcut, x)
      return linearOf(layer, x).map((y, i) => passed[i]! + y)
    }),
  },
  {
    name: 'residual with noise and state',
    layer: residual(sequential(linear(3, 3), batchNorm(), dropout(0.4))),
    sample: [3],
    rowsMix: true,
  },
  {
    name: 'concat',
    layer: concat(linear(3, 2), identity(), sequential(linear(3, 1), relu())),
    sample: [3],
    reference: perSample<{ layers: readonly [Linear, null, { layers: readonly [Linear, null] }] }>(
      ({ layers: [first, , last] }, x) => [
        ...linearOf(first, x),
        ...x,
        ...linearOf(last.layers[0], x).map((y) => Math.max(y, 0)),
      ],
    ),
  },
  {
    name: 'concat with noise, on samples of two axes',
    layer: concat(dropout(0.3), dropout(0.3), linear(3, 2)),
    sample: [2, 3],
  },
  {
    name: 'parallel, summed',
    layer: parallel([linear(3, 2), sequential(linear(3, 2), tanh())], { combine: 'sum' }),
    sample: [3],
    reference: perSample<{ layers: readonly [Linear, { layers: readonly [Linear, null] }] }>(
      ({ layers: [first, second] }, x) => {
        const other = linearOf(second.layers[0], x).map(Math.tanh)
        return linearOf(first, x).map((y, i) => y + other[i]!)
      },
    ),
  },
  {
    name: 'freeze',
    saved: false,
    layer: freeze(sequential(linear(3, 4), tanh(), linear(4, 2)), (path) => path.startsWith('layers.0.')),
    sample: [3],
  },
  {
    name: 'freeze, as at inference',
    saved: false,
    layer: freeze(sequential(linear(3, 2), batchNorm(), dropout(0.5)), (path) => path.endsWith('weight'), {
      inference: true,
    }),
    sample: [3],
  },
  {
    name: 'features inside of a residual',
    saved: false,
    layer: features(residual(sequential(linear(3, 2), tanh(), linear(2, 3))), 'layer.layers.1'),
    sample: [3],
    reference: perSample<{ layer: { layers: readonly [Linear, null, Linear] } }>(({ layer }, x) =>
      linearOf(layer.layers[0], x).map(Math.tanh),
    ),
  },
  {
    name: 'lambda',
    layer: lambda((x) => t.mul(x, t.sum(x, { axis: -1, keepDims: true }))),
    sample: [3],
    saved: false,
    reference: perSample((_, x) => x.map((value) => value * x.reduce((sum, other) => sum + other, 0))),
  },
  {
    name: 'lambda that joins axes',
    layer: lambda((x) => t.reshape(x, [x.shape[0]!, 6])),
    sample: [2, 3],
    saved: false,
    reference: (_, x) => x,
  },
]
