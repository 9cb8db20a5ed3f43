import * as t from '@tapeflow/autodiff'
import { type Batch, dataset } from '@tapeflow/data'
import {
  applyInner,
  binaryAccuracy,
  binaryCrossEntropy,
  linear,
  mae,
  meanSquaredError,
  mse,
  type ParamsOf,
  parallel,
  type StateOf,
  sequential,
  type TreeModel,
  tanh,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { type BatchSource, fit, type TrainEvent } from '../src/index.ts'
import { eventsOf, line, points, surface, twoPoints } from './small.ts'
import { told, toldInBothModes } from './told.ts'

const model = sequential(linear(2, 6), tanh(), linear(6, 1))
const options = { data: surface(40).batch(16), optimizer: sgd({ learningRate: 0.1 }), epochs: 3, seed: 2 }
const without = (told: readonly object[]): unknown =>
  told.map((event) => ({ ...event, sums: undefined, losses: undefined }))

describe('several losses', () => {
  test('are one loss, their weighted sum, bit for bit, and each is told unweighted', async () => {
    const two = { error: mse(), size: { loss: mae(), weight: 0.5 } }
    const one = (y: t.Tensor, target: t.Tensor): t.Tensor =>
      t.add(mse()(y, target), t.mul(mae()(y, target), 0.5))
    const more = { ...options, validation: surface(20, 4).batch(8) }
    const several = await toldInBothModes(model, { ...more, loss: two })
    expect(without(several)).toEqual(without(await told(fit(model, { ...more, loss: one }))))
    const events = await eventsOf(fit(model, { ...more, loss: two }))
    const info = events[0]!
    expect(info.type === 'start' && info.info.losses).toEqual(['error', 'size'])
    for (const event of events) {
      if (event.type !== 'step' && event.type !== 'epoch' && event.type !== 'validation') continue
      expect(Object.keys(event.losses!)).toEqual(['error', 'size'])
      expect(event.losses!['error']! + 0.5 * event.losses!['size']!).toBeCloseTo(event.loss, 5)
    }
  })

  test('of weight 1 need no weight; one loss has no names', async () => {
    const [all, plain] = [
      await told(fit(model, { ...options, loss: { a: mse() } })),
      await told(fit(model, { ...options, loss: mse() })),
    ]
    expect(without(all)).toEqual(without(plain))
    const [start, step] = await eventsOf(fit(line, { ...twoPoints, steps: 1 }))
    expect(start?.type === 'start' && start.info.losses).toEqual([])
    expect(step?.type === 'step' && step.losses).toEqual({})
  })

  const wrong: readonly (readonly [words: string, loss: unknown])[] = [
    ['loss must be a function, or several by name, got a number', 1],
    ['loss must be a function, or several by name, not none, got an object', {}],
    ["loss must have a function or { loss, weight } for 'a', got an object", { a: 1 }],
    [
      "loss must have a function or { loss, weight } for 'b', got an object",
      { a: mse(), b: { loss: mse() } },
    ],
    [
      "loss must have a function or { loss, weight } for 'a', got an object",
      { a: { loss: mse(), weight: Number.NaN } },
    ],
  ]
  test.each(wrong)('%s', (words, loss) => {
    const call = (): unknown => fit(line, { ...twoPoints, epochs: 1, loss: loss as never })
    expect(call).toThrow(typeof loss === 'number' ? words.replace('a number', '1') : words)
  })
})

/** Height and side of a hill. */
function hills(rows: number): BatchSource {
  const both = dataset({
    x: { shape: [rows, 2], values: t.uniformValues(t.key(1), 2 * rows, -1, 1) },
    height: { shape: [rows, 1], values: t.uniformValues(t.key(2), rows, -1, 1) },
    side: { shape: [rows, 1], values: Float32Array.from({ length: rows }, (_, i) => i % 2) },
  })
  return both.batch(16).map(({ x, height, side }) => ({ x, y: { height, side } }))
}

describe('a model of several outputs', () => {
  const heads = sequential(linear(2, 6), tanh())
  const outputs = parallel({ height: linear(6, 1), side: linear(6, 1) })
  type P = { readonly heads: ParamsOf<typeof heads>; readonly outputs: ParamsOf<typeof outputs> }
  type S = { readonly heads: StateOf<typeof heads>; readonly outputs: StateOf<typeof outputs> }
  const forked: TreeModel<P, S, t.Tensor, { readonly height: t.Tensor; readonly side: t.Tensor }> = {
    init: (key, shape) => {
      const [one, two] = [
        heads.init(t.foldIn(key, 'heads'), shape),
        outputs.init(t.foldIn(key, 'outputs'), [6]),
      ]
      return {
        params: { heads: one.params, outputs: two.params },
        state: { heads: one.state, outputs: two.state },
      }
    },
    apply: (params, state, x, ctx) => {
      const one = applyInner({ layer: heads, name: 'heads' }, params.heads, state.heads, x, ctx)
      const { y, state: next } = outputs.apply(params.outputs, state.outputs, one.y, ctx)
      // What combines layers may give several tensors, too.
      ctx.tap?.('outputs', y as never)
      return { y, state: { heads: one.state, outputs: next } }
    },
  }
  const loss = { height: mse(), side: { loss: binaryCrossEntropy({ from: 'logits' }), weight: 0.3 } }
  const more = { ...options, data: hills(40), validation: hills(20), loss }

  test('is trained by a loss for each, and measured by metrics of each', async () => {
    const metrics = { height: [meanSquaredError()], side: [binaryAccuracy({ threshold: 0 })] }
    const events = await eventsOf(fit(forked, { ...more, metrics, epochs: 20 }))
    const last = events.findLast((event) => event.type === 'epoch')!
    expect(Object.keys(last.metrics)).toEqual(['height.meanSquaredError', 'side.binaryAccuracy'])
    expect(last.metrics['height.meanSquaredError']).toBeCloseTo(last.losses!['height']!, 5)
    const first = events.find((event) => event.type === 'epoch')!
    expect(last.loss).toBeLessThan(first.loss)
    expect(last.losses!['height']! + 0.3 * last.losses!['side']!).toBeCloseTo(last.loss, 5)
    const validation = events.findLast((event) => event.type === 'validation')!
    expect(Object.keys(validation.losses!)).toEqual(['height', 'side'])
  })

  test('is the same compiled and eager, and leaves nothing', async () => {
    const told = await toldInBothModes(forked as never, {
      ...more,
      watch: ['gradients', 'gradientNorm', 'activations'],
    })
    const { activations } = told.find(({ type }) => type === 'step') as { activations: object }
    expect(Object.keys(activations)).toEqual(expect.arrayContaining(['outputs.height', 'outputs.side']))
  })

  const y = (names: readonly string[]): BatchSource => ({
    iterate: () => {
      const one: Batch = { shape: [1, 1], values: Float32Array.of(0) }
      return points([0, 0])
        .batch(1)
        .map(() => ({
          x: { shape: [1, 2], values: new Float32Array(2) },
          y: names.length === 0 ? one : Object.fromEntries(names.map((name) => [name, one])),
        }))
        .iterate()
    },
  })
  const wrong: readonly (readonly [words: string, options: object])[] = [
    ['the model gives height, side, got one loss for all of them; pass loss: { height: … }', { loss: mse() }],
    ['the model gives height, side, got losses for height', { loss: { height: mse() } }],
    ['the data has targets for height, got losses for height, side', { data: y(['height']) }],
    ['metric', { metrics: [meanSquaredError()] }],
  ]
  test.each(wrong)('%s', async (words, change) => {
    const failing = eventsOf(fit(forked, { ...more, ...change }))
    await expect(failing).rejects.toThrow(words === 'metric' ? 'pass metrics: { height: […] }' : words)
  })
})

test('a model of several inputs is given them by name', async () => {
  type Both = { readonly left: t.Tensor; readonly right: t.Tensor }
  const sum: TreeModel<{ readonly weight: t.Tensor }, null, Both, t.Tensor> = {
    init: (_key, { left, right }) => {
      expect([left, right]).toEqual([[2], [1]])
      return { params: { weight: t.zeros([2, 1]) }, state: null }
    },
    apply: ({ weight }, state, { left, right }) => ({ y: t.add(t.matmul(left, weight), right), state }),
  }
  const data = surface(30)
    .batch(8)
    .map(({ x, y }) => ({ x: { left: x, right: y }, y }))
  // What is right already stays: left is not wanted.
  const events: TrainEvent[] = await eventsOf(fit(sum, { ...options, data, loss: mse() }))
  const steps = events.filter((event) => event.type === 'step')
  expect(steps).toHaveLength(12)
  for (const { loss } of steps) expect(loss).toBe(0)
  await toldInBothModes(sum as never, { ...options, data, loss: mae() })
})
