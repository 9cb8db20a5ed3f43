import * as t from '@tapeflow/autodiff'
import {
  type AnyLayer,
  batchNorm,
  glorotNormal,
  type Initializer,
  type Layer,
  linear,
  mse,
  relu,
  residual,
  sequential,
  sigmoid,
} from '@tapeflow/nn'
import { normOf } from './descend.ts'
import { lines, type Point } from './draw.ts'
import { claim, type Lesson, shown } from './lesson.ts'
import { rings } from './samples.ts'

const width = 16
const depth = 12
const small: Initializer = (key, shape) => t.normal(key, shape, 0, 0.1)

/** A hidden layer of a net in which gradients vanish, with one thing made different. */
const block: Readonly<Record<string, () => AnyLayer>> = {
  'twelve sigmoid layers': () => sequential(linear(width, width, { weight: small }), sigmoid()),
  ReLU: () => sequential(linear(width, width, { weight: small }), relu()),
  Glorot: () => sequential(linear(width, width, { weight: glorotNormal }), sigmoid()),
  'batch norm': () => sequential(linear(width, width, { weight: small }), batchNorm(), sigmoid()),
  residual: () => residual(sequential(linear(width, width, { weight: small }), sigmoid())),
}

/** The norms of the weight gradients of all hidden layers of as many blocks. */
function gradientNorms(blocks: readonly AnyLayer[]): number[] {
  return normsOf(sequential(linear(2, width), ...blocks, linear(width, 1)))
}

function normsOf<P, S>(model: Layer<P, S>): number[] {
  const { x, y } = rings(t.key(1), 32)
  const { params, state } = model.init(t.key(2), [2])
  const gradients = t.grad((params: P) =>
    mse()(model.apply(params, state, x, { training: true, path: '' }).y, y),
  )(params)
  const norms: number[] = []
  t.mapTensors<unknown, null>(gradients, (g, path) => {
    const place = /^layers\.(\d+)\.(.*\.)?weight$/.exec(path)
    if (place !== null) norms[Number(place[1])] = normOf(g)
    return null
  })
  // Without the layers that go in and out.
  return norms.slice(1, -1)
}

/** Of a gradient that vanishes on its way through twelve sigmoid layers, each of five cures brings back ten times as much or more. */
export function fiveCures(): Lesson {
  const nets = {
    ...Object.fromEntries(
      Object.entries(block).map(([name, make]) => [name, Array.from({ length: depth }, make)]),
    ),
    'four layers': Array.from({ length: 4 }, block['twelve sigmoid layers']!),
  }
  const norms = Object.entries(nets).map(([name, blocks]) => ({ name, norms: gradientNorms(blocks) }))
  const ratio = (name: string): number => {
    const found = norms.find((net) => net.name === name)!.norms
    return found[0]! / found.at(-1)!
  }
  const ill = ratio('twelve sigmoid layers')
  const points: Point[] = norms.flatMap(({ name, norms }) =>
    norms.map((y, i) => ({ line: name, x: i + 1, y })),
  )
  return {
    title: 'Vanishing gradients and five cures',
    claims: [
      claim(`in twelve sigmoid layers the first gets ${shown(ill)} of the last one's gradient`, ill < 1e-6),
      ...norms
        .map(({ name }) => name)
        .filter((name) => name !== 'twelve sigmoid layers')
        .map((name) => claim(`${name}: ${shown(ratio(name))}`, ratio(name) > 10 * ill)),
    ],
    svg: lines('Norms of the gradients of weights', points, { x: 'hidden layer', y: 'norm', log: true }),
  }
}
