import * as t from '@tapeflow/autodiff'
import {
  activation,
  embedding,
  learnedPositions,
  multiHeadAttention,
  rotaryPositions,
  sinusoidalPositions,
  transformerBlock,
} from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Reference = NonNullable<LayerRow['reference']>

type Matrix = readonly (readonly number[])[]
type Linear = { readonly weight: Matrix; readonly bias?: readonly number[] }
type Attention = {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly output: Linear
}
type Norm = { readonly gamma: readonly number[]; readonly beta: readonly number[] }
type Block = {
  readonly attention: Attention
  readonly attentionNorm: Norm
  readonly feedForward: { readonly hidden: Linear; readonly output: Linear }
  readonly feedForwardNorm: Norm
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const cut = (x: readonly number[], size: number): readonly number[][] =>
  Array.from({ length: x.length / size }, (_, i) => x.slice(i * size, (i + 1) * size))
const linear = (x: Matrix, { weight, bias }: Linear): Matrix =>
  x.map((row) =>
    weight[0]!.map((_, j) => sum(row.map((value, i) => value * weight[i]![j]!)) + (bias?.[j] ?? 0)),
  )
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i]![j]!))

/** Each sequence of a batch by itself: a matrix of places and features. */
const ofSequences =
  <P>(f: (params: P, x: Matrix) => Matrix): Reference =>
  (params, x, shape) => {
    const [length, features] = shape.slice(-2) as [number, number]
    return cut(x, length * features).flatMap((one) => f(params as P, cut(one, features)).flat())
  }

/** What is added to place p, feature i. */
function wave(p: number, i: number, features: number): number {
  const angle = p / 10000 ** ((2 * Math.floor(i / 2)) / features)
  return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
}

/** Pairs of features as complex numbers, times e^(i angle). */
const turned = (x: Matrix, base = 10000): Matrix =>
  x.map((row, p) =>
    cut(row, 2).flatMap(([re, im], i) => {
      const angle = p * base ** ((-2 * i) / row.length)
      return [re! * Math.cos(angle) - im! * Math.sin(angle), re! * Math.sin(angle) + im! * Math.cos(angle)]
    }),
  )

interface Looks {
  readonly heads: number
  readonly causal?: boolean
  readonly rotary?: boolean
}

/** Concat(head_1, …, head_n) W^O, with head_i = softmax(Q_i K_i' / sqrt(d)) V_i: section 3.2 of the paper. */
function attention(params: Attention, x: Matrix, { heads, causal = false, rotary = false }: Looks): Matrix {
  const [q, k, v] = [params.query, params.key, params.value].map((one) => linear(x, one))
  const depth = q![0]!.length / heads
  const found = Array.from({ length: heads }, (_, head) => {
    const ofHead = (y: Matrix): Matrix => y.map((row) => row.slice(head * depth, (head + 1) * depth))
    const [queries, keys] = [ofHead(q!), ofHead(k!)].map((y) => (rotary ? turned(y) : y))
    return queries!.map((query, i) => {
      const seen = causal ? i + 1 : x.length
      const scores = keys!
        .slice(0, seen)
        .map((key) => sum(key.map((c, d) => c * query[d]!)) / Math.sqrt(depth))
      const exps = scores.map((score) => Math.exp(score))
      return ofHead(v!)[0]!.map((_, d) =>
        sum(exps.map((weight, j) => (weight / sum(exps)) * ofHead(v!)[j]![d]!)),
      )
    })
  })
  const joined = x.map((_, i) => found.flatMap((head) => head[i]!))
  return linear(joined, params.output)
}

const attentionOf = (looks: Looks): Reference =>
  ofSequences((params: Attention, x) => attention(params, x, looks))

const norm = (x: Matrix, { gamma, beta }: Norm): Matrix =>
  x.map((row) => {
    const mean = sum(row) / row.length
    const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length
    return row.map((value, j) => (gamma[j]! * (value - mean)) / Math.sqrt(variance + 1e-5) + beta[j]!)
  })

function block(params: Block, x: Matrix, looks: Looks, isPre: boolean): Matrix {
  const feed = (h: Matrix): Matrix => {
    const units = linear(h, params.feedForward.hidden).map((row) => row.map((value) => Math.max(0, value)))
    return linear(units, params.feedForward.output)
  }
  if (isPre) {
    const h = plus(x, attention(params.attention, norm(x, params.attentionNorm), looks))
    return plus(h, feed(norm(h, params.feedForwardNorm)))
  }
  const h = norm(plus(x, attention(params.attention, x, looks)), params.attentionNorm)
  return norm(plus(h, feed(h)), params.feedForwardNorm)
}

const indices =
  (count: number) =>
  (key: t.Key, shape: t.Shape): t.Tensor =>
    t.floor(t.uniform(key, shape, 0, count))

const lookUp =
  (padding?: number): Reference =>
  (params, x) => {
    const { weight } = params as { weight: Matrix }
    return x.flatMap((index) => weight[index]!.map((value) => (index === padding ? 0 : value)))
  }

/** Sequences: what looks places up, tells them apart and lets them attend to each other. */
export const rows: readonly LayerRow[] = [
  {
    name: 'embedding',
    layer: embedding(5, 3),
    sample: [4],
    input: indices(5),
    differentiable: false,
    reference: lookUp(),
  },
  {
    name: 'embedding of one index, with padding',
    layer: embedding(3, 2, { padding: 1 }),
    sample: [],
    input: indices(3),
    differentiable: false,
    reference: lookUp(1),
  },
  {
    name: 'sinusoidalPositions',
    layer: sinusoidalPositions(),
    sample: [3, 5],
    reference: ofSequences((_, x) =>
      x.map((row, p) => row.map((value, i) => value + wave(p, i, row.length))),
    ),
  },
  {
    name: 'learnedPositions',
    layer: learnedPositions(3),
    sample: [3, 2],
    reference: ofSequences((params: { weight: Matrix }, x) => plus(x, params.weight)),
  },
  {
    name: 'learnedPositions of shorter sequences',
    layer: learnedPositions(5),
    sample: [2, 2],
    reference: ofSequences((params: { weight: Matrix }, x) => plus(x, params.weight)),
  },
  {
    name: 'rotaryPositions as a layer',
    layer: activation('rotaryPositions', (x) => rotaryPositions(x, { base: 100 })),
    sample: [3, 4],
    saved: false,
    reference: ofSequences((_, x) => turned(x, 100)),
  },
  {
    name: 'multiHeadAttention',
    layer: multiHeadAttention(4, 2),
    sample: [3, 4],
    reference: attentionOf({ heads: 2 }),
  },
  {
    name: 'multiHeadAttention, causal, turned, without biases',
    layer: multiHeadAttention(4, 2, { causal: true, rotary: true, useBias: false }),
    sample: [3, 4],
    reference: attentionOf({ heads: 2, causal: true, rotary: true }),
  },
  {
    name: 'multiHeadAttention of a depth of its own, with dropout, of two axes of sequences',
    layer: multiHeadAttention(3, 2, { depth: 2, dropout: 0.4, causal: true }),
    sample: [2, 3, 3],
    reference: attentionOf({ heads: 2, causal: true }),
  },
  {
    name: 'transformerBlock',
    layer: transformerBlock(4, 2, { activation: t.relu, hidden: 5 }),
    sample: [2, 4],
    reference: ofSequences((params: Block, x) => block(params, x, { heads: 2 }, true)),
  },
  {
    name: 'transformerBlock, post-norm, causal, turned, with dropout',
    layer: transformerBlock(2, 1, {
      norm: 'post',
      causal: true,
      rotary: true,
      hidden: 3,
      activation: t.relu,
      dropout: 0.3,
      attentionDropout: 0.2,
    }),
    sample: [3, 2],
    reference: ofSequences((params: Block, x) =>
      block(params, x, { heads: 1, causal: true, rotary: true }, false),
    ),
  },
]
