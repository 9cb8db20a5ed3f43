import { cosineDecay, join, momentum, nesterov, type Schedule, sgd, warmup } from '@tapeflow/optim'
import { constantly, type Reference, type Row } from './row.ts'

/** Sutskever et al. 2013: v = β v + lr g, w = w - v; nesterov: w = w - (β v + lr g). 'outside': v = β v + g, times lr. */
function reference(
  rate: (step: number) => number,
  momentum = 0,
  { ahead = false, outside = false } = {},
): Reference {
  let v: number[] = []
  return (params, gradients, step) => {
    const inner = outside ? 1 : rate(step)
    v = gradients.map((g, i) => momentum * (v[i] ?? 0) + inner * g)
    const outer = outside ? rate(step) : 1
    return params.map((w, i) => w - outer * (ahead ? momentum * v[i]! + inner * gradients[i]! : v[i]!))
  }
}

const upAndDown = (rate: number): Schedule =>
  join([warmup({ to: rate, steps: 10 }), cosineDecay({ from: rate, steps: 20 })], [10])
const upAndDownReference = (rate: number) => (step: number) =>
  step < 10 ? (rate * step) / 10 : (rate * (1 + Math.cos((Math.PI * (step - 10)) / 20))) / 2

export const rows: readonly Row[] = [
  {
    name: 'sgd',
    optimizer: (rate) => sgd({ learningRate: rate }),
    reference: (rate) => reference(constantly(rate)),
    golden: 'sgd',
  },
  {
    name: 'sgd with momentum 0.9',
    optimizer: (rate) => sgd({ learningRate: rate / 10, momentum: 0.9 }),
    reference: (rate) => reference(constantly(rate / 10), 0.9),
  },
  {
    name: 'sgd with momentum 0.5 on a schedule',
    optimizer: (rate) => sgd({ learningRate: upAndDown(rate), momentum: 0.5 }),
    reference: (rate) => reference(upAndDownReference(rate), 0.5),
  },
  {
    name: 'momentum',
    optimizer: (rate) => momentum({ learningRate: rate / 10 }),
    reference: (rate) => reference(constantly(rate / 10), 0.9),
    golden: 'momentum',
  },
  {
    name: 'momentum, rate outside, on a schedule',
    optimizer: (rate) => momentum({ learningRate: upAndDown(rate), momentum: 0.5, rate: 'outside' }),
    reference: (rate) => reference(upAndDownReference(rate), 0.5, { outside: true }),
    golden: 'momentum on a schedule',
  },
  {
    name: 'nesterov',
    optimizer: (rate) => nesterov({ learningRate: rate / 10 }),
    reference: (rate) => reference(constantly(rate / 10), 0.9, { ahead: true }),
    golden: 'nesterov',
  },
  {
    name: 'nesterov, rate outside, on a schedule',
    optimizer: (rate) => nesterov({ learningRate: upAndDown(rate), momentum: 0.5, rate: 'outside' }),
    reference: (rate) => reference(upAndDownReference(rate), 0.5, { ahead: true, outside: true }),
    golden: 'nesterov on a schedule',
  },
]
