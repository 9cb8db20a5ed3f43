import * as t from '@tapeflow/autodiff'
import * as nn from '@tapeflow/nn'
import {
  between,
  binary,
  binaryOf,
  bits,
  cosine,
  counts,
  distributions,
  elements,
  entropyAcross,
  labels,
  lead,
  logCosh,
  logits,
  logSoftmax,
  logs,
  mixture,
  type Numbers,
  oneHot,
  rates,
  row,
  rowOf,
  shares,
  sigmoid,
  signs,
  smooth,
  times,
  total,
} from './loss-definitions.ts'
import { certain, far, labelled, sided, size, sure, wide } from './loss-extremes.ts'
import type { LossRow } from './loss-row.ts'

const classWeights = [0.5, 2, 1]
const counted = { classWeights: [0.5, 3] } as const
const probabilities = { from: 'probabilities' } as const

/** Losses of numbers. */
const ofNumbers: readonly LossRow[] = [
  { name: 'mse', make: nn.mse, reference: elements((x, z) => (x - z) ** 2) },
  { name: 'mae', make: nn.mae, reference: elements((x, z) => Math.abs(x - z)) },
  {
    name: 'huber',
    make: nn.huber,
    reference: elements((x, z) => (Math.abs(x - z) <= 1 ? (x - z) ** 2 / 2 : Math.abs(x - z) - 0.5)),
  },
  {
    name: 'huber, delta 0.25',
    make: (options: object) => nn.huber({ ...options, delta: 0.25 }),
    reference: elements((x, z) =>
      Math.abs(x - z) <= 0.25 ? (x - z) ** 2 / 2 : 0.25 * (Math.abs(x - z) - 0.125),
    ),
  },
  { name: 'logCosh', make: nn.logCosh, reference: elements((x, z) => logCosh(x - z)) },
  {
    name: 'cosineSimilarity',
    make: nn.cosineSimilarity,
    reference: row((x, z) => 1 - cosine(x, z)),
  },
].map((one) => ({ ...one, prediction: logits, target: logits, extremes: far }))

const ofCounts: readonly LossRow[] = [
  {
    name: 'poisson',
    make: nn.poisson,
    prediction: logits,
    target: counts,
    fixed: true,
    reference: elements((x, z) => Math.exp(x) - times(z, x)),
    extremes: [
      [
        [-size, -size, 0],
        [0, 2, 1],
      ],
      [
        [size, 0, 0],
        [1, 1, 1],
      ],
    ],
  },
  {
    name: 'poisson, from rates',
    make: (options) => nn.poisson({ ...options, from: 'rates' }),
    prediction: rates,
    target: counts,
    fixed: true,
    reference: elements((r, z) => r - times(z, Math.log(r))),
    extremes: [
      [
        [0, size, 1],
        [0, 2, 1],
      ],
      [
        [0, 1, 1],
        [1, 1, 1],
      ],
    ],
  },
]

/** Losses of two classes, as signs. */
const ofSigns: readonly LossRow[] = [
  { name: 'perceptronLoss', make: nn.perceptronLoss, of: (m: number) => Math.max(0, -m) },
  { name: 'hinge', make: nn.hinge, of: (m: number) => Math.max(0, 1 - m) },
  { name: 'squaredHinge', make: nn.squaredHinge, of: (m: number) => Math.max(0, 1 - m) ** 2 },
].flatMap(({ name, make, of }) => {
  const margin = (f: number, y: number): number => of(y * f)
  const one = { name, make, prediction: logits, target: signs, fixed: true, extremes: sided }
  return [
    { ...one, reference: elements(margin) },
    {
      ...one,
      name: `${name}, weighted classes`,
      make: (options: object) => make({ ...options, ...counted }),
      reference: elements(margin, (y) => (y > 0 ? 3 : 0.5)),
    },
  ]
})

/** Losses of two classes, as shares. */
const ofShares: readonly LossRow[] = [
  { name: 'binaryCrossEntropy', make: nn.binaryCrossEntropy, reference: elements(binary) },
  {
    name: 'binaryCrossEntropy, smoothed and weighted',
    make: (options: object) => nn.binaryCrossEntropy({ ...options, ...counted, labelSmoothing: 0.2 }),
    reference: elements((x, z) => binary(x, 0.8 * z + 0.1), between(0.5, 3)),
  },
  {
    name: 'focal',
    make: nn.focal,
    reference: elements((x, z) => binary(x, z) * (z * sigmoid(-x) + (1 - z) * sigmoid(x)) ** 2),
  },
  {
    name: 'focal, gamma 0.5, weighted',
    make: (options: object) => nn.focal({ ...options, ...counted, gamma: 0.5 }),
    reference: elements(
      (x, z) => binary(x, z) * Math.sqrt(z * sigmoid(-x) + (1 - z) * sigmoid(x)),
      between(0.5, 3),
    ),
  },
].map((one) => ({ ...one, prediction: logits, target: shares, extremes: wide }))

const ofProbabilities: readonly LossRow[] = [
  {
    name: 'binaryCrossEntropy, from probabilities',
    make: (options: object) => nn.binaryCrossEntropy({ ...options, ...probabilities }),
    reference: elements(binaryOf),
  },
  {
    name: 'binaryCrossEntropy, from probabilities, weighted',
    make: (options: object) => nn.binaryCrossEntropy({ ...options, ...probabilities, ...counted }),
    reference: elements(binaryOf, between(0.5, 3)),
  },
  {
    name: 'focal, from probabilities, gamma 1',
    make: (options: object) => nn.focal({ ...options, ...probabilities, gamma: 1 }),
    reference: elements((p, z) => binaryOf(p, z) * (z * (1 - p) + (1 - z) * p)),
  },
].map((one) => ({ ...one, prediction: shares, target: bits, fixed: true, extremes: certain }))

/** Losses of rows of classes. */
const ofRows: readonly LossRow[] = [
  {
    name: 'crossEntropy',
    make: nn.crossEntropy,
    reference: row((x, z) => entropyAcross(logSoftmax(x), z)),
  },
  {
    name: 'crossEntropy, smoothed and weighted',
    make: (options: object) => nn.crossEntropy({ ...options, classWeights, labelSmoothing: 0.3 }),
    reference: row((x, z) => entropyAcross(logSoftmax(x), smooth(z, 0.3)), mixture(classWeights)),
  },
  {
    name: 'klDivergence',
    make: nn.klDivergence,
    reference: row((x, z) => total(logSoftmax(x).map((value, k) => times(z[k]!, Math.log(z[k]!) - value)))),
  },
  {
    name: 'focal, exclusive, gamma 0.5, weighted',
    make: (options: object) => nn.focal({ ...options, classes: 'exclusive', classWeights, gamma: 0.5 }),
    reference: row(
      (x, z) => total(logSoftmax(x).map((l, k) => times(z[k]!, -Math.sqrt(-Math.expm1(l)) * l))),
      mixture(classWeights),
    ),
  },
].map((one) => ({ ...one, prediction: logits, target: distributions, extremes: wide }))

const ofDistributions: readonly LossRow[] = [
  {
    name: 'crossEntropy, from probabilities, weighted',
    make: (options: object) => nn.crossEntropy({ ...options, ...probabilities, classWeights }),
    reference: row((p, z) => entropyAcross(logs(p), z), mixture(classWeights)),
  },
  {
    name: 'klDivergence, from probabilities, weighted',
    make: (options: object) => nn.klDivergence({ ...options, ...probabilities, classWeights }),
    reference: row(
      (p, z) => total(p.map((q, k) => times(z[k]!, Math.log(z[k]! / q)))),
      mixture(classWeights),
    ),
  },
  {
    name: 'focal, exclusive, from probabilities',
    make: (options: object) => nn.focal({ ...options, ...probabilities, classes: 'exclusive' }),
    reference: row((p, z) => total(p.map((q, k) => times(z[k]!, -((1 - q) ** 2) * Math.log(q))))),
  },
].map((one) => ({ ...one, prediction: distributions, target: distributions, extremes: sure }))

const ofOneHot: readonly LossRow[] = [
  {
    name: 'categoricalHinge, weighted',
    make: (options) => nn.categoricalHinge({ ...options, classWeights }),
    prediction: logits,
    target: oneHot,
    fixed: true,
    reference: row(lead, mixture(classWeights)),
    extremes: wide,
  },
]

/** Losses of labels. */
const ofLabels: readonly LossRow[] = [
  {
    name: 'sparseCrossEntropy',
    make: nn.sparseCrossEntropy,
    prediction: logits,
    reference: row((x, z) => -logSoftmax(x)[z[0]!]!),
    extremes: labelled(wide),
  },
  {
    name: 'sparseCrossEntropy, smoothed and weighted',
    make: (options: object) => nn.sparseCrossEntropy({ ...options, classWeights, labelSmoothing: 0.3 }),
    prediction: logits,
    reference: row(
      (x, z) => entropyAcross(logSoftmax(x), smooth(rowOf(z), 0.3)),
      (z) => classWeights[z[0]!]!,
    ),
    extremes: labelled(wide),
  },
  {
    name: 'sparseCrossEntropy, from probabilities',
    make: (options: object) => nn.sparseCrossEntropy({ ...options, ...probabilities }),
    prediction: distributions,
    reference: row((p, z) => -Math.log(p[z[0]!]!)),
    extremes: labelled(sure.slice(0, 2)),
  },
].map((one) => ({ ...one, target: labels, fixed: true }))

/** Embeddings: the prediction is the anchor, the target the positive, and the negative one made of both. */
const negative = (a: number, p: number): number => (a + p) / 2 + 1
const ofTriplets: readonly LossRow[] = [
  {
    name: 'triplet',
    distance: 'euclidean' as const,
    margin: 1,
    of: (d: Numbers) => Math.hypot(...d),
  },
  {
    name: 'triplet, squared, margin 0.2',
    distance: 'squaredEuclidean' as const,
    margin: 0.2,
    of: (d: Numbers) => total(d.map((x) => x * x)),
  },
].map(({ name, distance, margin, of }) => ({
  name,
  make: ({ reduction }) => {
    const loss = nn.triplet({ distance, margin, reduction })
    return (anchor, positive, weights) =>
      t.scope(() =>
        loss({ anchor, positive, negative: t.add(t.mul(t.add(anchor, positive), 0.5), 1) }, weights),
      )
  },
  prediction: logits,
  target: logits,
  reference: row((a, p) => {
    const far = of(a.map((x, k) => x - negative(x, p[k]!)))
    return Math.max(0, of(a.map((x, k) => x - p[k]!)) - far + margin)
  }),
  extremes: [
    [
      [size, -size, 0],
      [size, -size, 0],
    ],
    ...far.slice(0, 1),
  ],
}))

/** Every loss: a new one is a row. */
export const rows: readonly LossRow[] = [
  ofNumbers,
  ofCounts,
  ofSigns,
  ofShares,
  ofProbabilities,
  ofRows,
  ofDistributions,
  ofOneHot,
  ofLabels,
  ofTriplets,
].flat()
