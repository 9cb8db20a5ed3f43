import * as t from '@tapeflow/autodiff'
import { bidirectional, gru, linear, lstm, rnn, sequential } from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Matrix = readonly (readonly number[])[]

interface Params {
  readonly weight: Matrix
  readonly recurrentWeight: Matrix
  readonly bias: readonly number[]
  readonly recurrentBias: readonly number[]
}

/** The hidden state of one row, and what else is carried. */
interface Carried {
  readonly hidden: readonly number[]
  readonly cell: readonly number[]
}

type Step = (p: Params, before: Carried, x: readonly number[]) => Carried

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
/** Column k of x W. */
const product = (x: readonly number[], w: Matrix, k: number): number =>
  x.reduce((sum, value, i) => sum + value * w[i]![k]!, 0)

const rnnStep =
  (activation: (x: number) => number): Step =>
  (p, { hidden }, x) => ({
    hidden: hidden.map((_, k) =>
      activation(product(x, p.weight, k) + product(hidden, p.recurrentWeight, k) + p.bias[k]!),
    ),
    cell: [],
  })

const lstmStep: Step = (p, { hidden, cell }, x) => {
  const sum = (k: number): number =>
    product(x, p.weight, k) + product(hidden, p.recurrentWeight, k) + p.bias[k]!
  const n = hidden.length
  const next = cell.map((c, k) => sigmoid(sum(n + k)) * c + sigmoid(sum(k)) * Math.tanh(sum(2 * n + k)))
  return { hidden: next.map((c, k) => sigmoid(sum(3 * n + k)) * Math.tanh(c)), cell: next }
}

const gruStep: Step = (p, { hidden }, x) => {
  const n = hidden.length
  const ofInput = (k: number): number => product(x, p.weight, k) + p.bias[k]!
  const ofHidden = (k: number): number => product(hidden, p.recurrentWeight, k) + p.recurrentBias[k]!
  const gate = (k: number): number => sigmoid(ofInput(k) + ofHidden(k))
  return {
    hidden: hidden.map((h, k) => {
      const candidate = Math.tanh(ofInput(2 * n + k) + gate(n + k) * ofHidden(2 * n + k))
      return gate(k) * h + (1 - gate(k)) * candidate
    }),
    cell: [],
  }
}

const gruOfThePaperStep: Step = (p, { hidden }, x) => {
  const n = hidden.length
  const ofInput = (k: number): number => product(x, p.weight, k) + p.bias[k]!
  const gate = (k: number): number => sigmoid(ofInput(k) + product(hidden, p.recurrentWeight, k))
  const reset = hidden.map((h, k) => gate(n + k) * h)
  return {
    hidden: hidden.map((h, k) => {
      const candidate = Math.tanh(ofInput(2 * n + k) + product(reset, p.recurrentWeight, 2 * n + k))
      return gate(k) * h + (1 - gate(k)) * candidate
    }),
    cell: [],
  }
}

/** Steps of one row in the order in which they are read; a step of nothing but `padding` is passed over. */
function read(step: Step, p: Params, steps: Matrix, padding?: number): number[][] {
  const zero = p.recurrentWeight.map(() => 0)
  let carried: Carried = { hidden: zero, cell: zero }
  return steps.map((x) => {
    if (x.every((value) => value === padding)) return [...zero]
    carried = step(p, carried, x)
    return [...carried.hidden]
  })
}

type Reference = NonNullable<LayerRow['reference']>

interface Way {
  readonly sequences?: boolean
  readonly reverse?: boolean
  readonly padding?: number
}

function rowsOf(x: readonly number[], [rows, steps, features]: t.Shape): Matrix[] {
  const step = (from: number): readonly number[] => x.slice(from, from + features!)
  return Array.from({ length: rows! }, (_, row) =>
    Array.from({ length: steps! }, (_, i) => step((row * steps! + i) * features!)),
  )
}

function readWay(step: Step, p: Params, steps: Matrix, { reverse = false, padding }: Way): number[][] {
  const outputs = read(step, p, reverse ? steps.toReversed() : steps, padding)
  return reverse ? outputs.reverse() : outputs
}

/** The output that was made last at a step that is no padding. */
function lastOf(outputs: number[][], steps: Matrix, { reverse = false, padding }: Way): number[] {
  const isTrue = (x: readonly number[]): boolean => x.some((value) => value !== padding)
  return outputs[reverse ? steps.findIndex(isTrue) : steps.findLastIndex(isTrue)]!
}

const reading =
  (step: Step, way: Way = {}): Reference =>
  (params, x, shape) =>
    rowsOf(x, shape).flatMap((steps) => {
      const outputs = readWay(step, params as Params, steps, way)
      return way.sequences === true ? outputs.flat() : lastOf(outputs, steps, way)
    })

const readingBothWays =
  (first: Step, second: Step, way: Way = {}): Reference =>
  (params, x, shape) => {
    const { forward, backward } = params as { readonly forward: Params; readonly backward: Params }
    return rowsOf(x, shape).flatMap((steps) => {
      const ahead = readWay(first, forward, steps, way)
      const back = readWay(second, backward, steps, { ...way, reverse: true })
      if (way.sequences === true) return steps.flatMap((_, i) => [...ahead[i]!, ...back[i]!])
      return [...lastOf(ahead, steps, way), ...lastOf(back, steps, { ...way, reverse: true })]
    })
  }

/** Row i has i steps less than there are: the rest is 7. */
function padded(key: t.Key, [rows, steps, features]: t.Shape): t.Tensor {
  const isTrue = Array.from({ length: rows! }, (_, row) =>
    Array.from({ length: steps! }, (_, i) => [i < Math.max(1, steps! - row) ? 1 : 0]),
  )
  return t.where(t.tensor(isTrue), t.normal(key, [rows!, steps!, features!]), 7)
}

const relu = (x: number): number => Math.max(x, 0)
const sequences = { returnSequences: true } as const

/** The layers that read sequences. */
export const rows: readonly LayerRow[] = [
  { name: 'rnn', layer: rnn(3, 2), sample: [3, 3], reference: reading(rnnStep(Math.tanh)) },
  {
    name: 'rnn with relu, sequences, backward',
    layer: rnn(1, 3, { activation: t.relu, ...sequences, reverse: true }),
    sample: [3, 1],
    reference: reading(rnnStep(relu), { sequences: true, reverse: true }),
  },
  { name: 'lstm', layer: lstm(2, 2), sample: [2, 2], reference: reading(lstmStep) },
  {
    name: 'lstm, sequences, padded',
    layer: lstm(1, 2, { ...sequences, paddingValue: 7 }),
    sample: [3, 1],
    input: padded,
    reference: reading(lstmStep, { sequences: true, padding: 7 }),
  },
  {
    name: 'gru',
    layer: gru(2, 2, { reverse: true }),
    sample: [2, 2],
    reference: reading(gruStep, { reverse: true }),
  },
  {
    name: 'gru, sequences',
    layer: gru(1, 3, sequences),
    sample: [3, 1],
    reference: reading(gruStep, { sequences: true }),
  },
  {
    name: 'gru of the paper, padded',
    layer: gru(2, 2, { resetAfter: false, paddingValue: 7 }),
    sample: [3, 2],
    input: padded,
    reference: reading(gruOfThePaperStep, { padding: 7 }),
  },
  {
    name: 'bidirectional, padded',
    layer: bidirectional(rnn(1, 2, { paddingValue: 7 })),
    sample: [3, 1],
    input: padded,
    reference: readingBothWays(rnnStep(Math.tanh), rnnStep(Math.tanh), { padding: 7 }),
  },
  {
    name: 'bidirectional of two kinds, sequences',
    layer: bidirectional(gru(1, 1, sequences), lstm(1, 2, { ...sequences, reverse: true })),
    sample: [2, 1],
    reference: readingBothWays(gruStep, lstmStep, { sequences: true }),
  },
  {
    name: 'recurrent layers in a chain',
    layer: sequential(gru(1, 2, sequences), bidirectional(rnn(2, 1)), linear(2, 1)),
    sample: [2, 1],
  },
]
