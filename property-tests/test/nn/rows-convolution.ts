import {
  avgPool1d,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  depthwiseConv2d,
  flatten,
  globalAvgPool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  relu,
  reshape,
  separableConv2d,
  sequential,
  spatialDropout,
} from '@tapeflow/nn'
import { convolved, pooled, type Sliding, separated, spread } from './convolution-definitions.ts'
import type { LayerRow } from './layer-row.ts'

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value) / values.length
const largest = (values: readonly number[]): number => Math.max(...values)
const itself = (_: unknown, x: readonly number[]): readonly number[] => x

const odd: Sliding = {
  stride: [2, 1],
  dilation: [1, 2],
  padding: [
    [1, 0],
    [2, 1],
  ],
}
const halves: Sliding = { stride: [2, 2], padding: 'same' }

const convolutions: readonly LayerRow[] = [
  { name: 'conv2d', layer: conv2d(2, 3, [2, 3]), sample: [3, 4, 2], reference: convolved() },
  {
    name: 'conv2d, strides, dilation and padding that differ',
    layer: conv2d(2, 3, [3, 2], odd),
    sample: [4, 3, 2],
    reference: convolved(odd),
  },
  {
    name: 'conv2d, same, stride 2',
    layer: conv2d(1, 2, 3, { stride: 2, padding: 'same' }),
    sample: [5, 4, 1],
    reference: convolved(halves),
  },
  {
    name: 'conv2d, two groups, without a bias',
    layer: conv2d(4, 6, 2, { groups: 2, useBias: false }),
    sample: [3, 3, 4],
    reference: convolved({ groups: 2 }),
  },
  { name: 'conv1d', layer: conv1d(2, 3, 3), sample: [5, 2], reference: convolved() },
  {
    name: 'conv1d, causal, dilation 2, two groups',
    layer: conv1d(2, 4, 2, { padding: [2, 0], dilation: 2, groups: 2 }),
    sample: [5, 2],
    reference: convolved({
      dilation: [1, 2],
      groups: 2,
      padding: [
        [0, 0],
        [2, 0],
      ],
    }),
  },
  {
    name: 'conv1d, same, stride 2',
    layer: conv1d(2, 2, 3, { stride: 2, padding: 'same', useBias: false }),
    sample: [6, 2],
    reference: convolved({ stride: [1, 2], padding: 'same' }),
  },
  {
    name: 'depthwiseConv2d',
    layer: depthwiseConv2d(3, [2, 3]),
    sample: [3, 4, 3],
    reference: convolved({ groups: 3 }),
  },
  {
    name: 'depthwiseConv2d, two filters each, same, stride 2',
    layer: depthwiseConv2d(2, 3, { multiplier: 2, stride: 2, padding: 'same', useBias: false }),
    sample: [4, 5, 2],
    reference: convolved({ ...halves, groups: 2 }),
  },
  { name: 'separableConv2d', layer: separableConv2d(2, 3, 2), sample: [3, 3, 2], reference: separated() },
  {
    name: 'separableConv2d, two filters each, dilation and padding',
    layer: separableConv2d(2, 3, [3, 2], { ...odd, multiplier: 2, useBias: false }),
    sample: [4, 3, 2],
    reference: separated(odd),
  },
  {
    name: 'convTranspose2d, stride 2',
    layer: convTranspose2d(2, 3, 3, { stride: 2 }),
    sample: [2, 3, 2],
    reference: spread([5, 7], { stride: [2, 2] }),
  },
  {
    name: 'convTranspose2d, strides, dilation and padding that differ, and output padding',
    layer: convTranspose2d(2, 1, [3, 2], { ...odd, outputPadding: [1, 0], useBias: false }),
    sample: [2, 4, 2],
    // (2 - 1) 2 - 1 + 3 + 1, (4 - 1) 1 - 3 + 3
    reference: spread([5, 3], odd),
  },
  {
    name: 'convTranspose2d, same, two groups',
    layer: convTranspose2d(4, 2, 3, { stride: 2, padding: 'same', groups: 2 }),
    sample: [2, 2, 4],
    reference: spread([4, 4], { ...halves, groups: 2 }),
  },
]

const pools: readonly LayerRow[] = [
  { name: 'maxPool2d', layer: maxPool2d(2), sample: [4, 5, 2], reference: pooled([2, 2], {}, largest) },
  {
    name: 'maxPool2d, windows that overlap, same',
    layer: maxPool2d(3, { stride: 2, padding: 'same' }),
    sample: [4, 5, 2],
    reference: pooled([3, 3], halves, largest),
  },
  {
    name: 'avgPool2d, same',
    layer: avgPool2d([3, 2], { stride: 2, padding: 'same' }),
    sample: [4, 5, 2],
    reference: pooled([3, 2], halves, mean),
  },
  {
    name: 'avgPool2d over the padding too',
    layer: avgPool2d(2, { padding: 1, countIncludePadding: true }),
    sample: [3, 3, 2],
    reference: pooled(
      [2, 2],
      {
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
      (inside) => inside.reduce((sum, value) => sum + value) / 4,
    ),
  },
  {
    name: 'maxPool1d',
    layer: maxPool1d(3, { stride: 2, padding: [1, 0] }),
    sample: [6, 2],
    reference: pooled(
      [1, 3],
      {
        stride: [1, 2],
        padding: [
          [0, 0],
          [1, 0],
        ],
      },
      largest,
    ),
  },
  {
    name: 'avgPool1d, same',
    layer: avgPool1d(2, { padding: 'same' }),
    sample: [5, 2],
    reference: pooled([1, 2], { padding: 'same' }, mean),
  },
  {
    name: 'globalAvgPool of images',
    layer: globalAvgPool(),
    sample: [2, 3, 2],
    reference: pooled([2, 3], {}, mean),
  },
  {
    name: 'globalAvgPool of sequences',
    layer: globalAvgPool(),
    sample: [5, 2],
    reference: pooled([1, 5], {}, mean),
  },
  {
    name: 'globalMaxPool of images',
    layer: globalMaxPool(),
    sample: [2, 3, 2],
    reference: pooled([2, 3], {}, largest),
  },
  {
    name: 'globalMaxPool of sequences',
    layer: globalMaxPool(),
    sample: [5, 2],
    reference: pooled([1, 5], {}, largest),
  },
]

/** Layers of images and sequences. */
export const rows: readonly LayerRow[] = [
  ...convolutions,
  ...pools,
  { name: 'flatten', layer: flatten(), sample: [2, 2, 3], reference: itself },
  { name: 'reshape', layer: reshape([3, -1]), sample: [6, 2], reference: itself },
  { name: 'spatialDropout', layer: spatialDropout(0.5), sample: [2, 2, 4], reference: itself },
  {
    name: 'a convolutional network',
    layer: sequential(
      reshape([6, 6, 1]),
      conv2d(1, 4, 3, { padding: 'same' }),
      relu(),
      maxPool2d(2),
      spatialDropout(0.3),
      separableConv2d(4, 3, 2),
      globalAvgPool(),
    ),
    sample: [36],
  },
]
