import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { type Attended, type Context, type LinearParams, linear, multiHeadAttention } from '../src/index.ts'
import { expectClose, rowsOf, sample } from './float64.ts'

const inference: Context = { training: false, path: '' }
const bits = (x: t.Tensor): number[] => [...x.toFloat32Array()]
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Another tensor than x at some places of the axis before the last, of every row. */
function changedAt(x: t.Tensor, places: readonly number[]): t.Tensor {
  const [rows, length, features] = x.shape as [number, number, number]
  const noise = t.mul(t.normal(t.key(77), [rows, length, features]), 50)
  const at = t.tensor(
    Array.from({ length }, (_, i) => (places.includes(i) ? 1 : 0)),
    [length, 1],
  )
  return t.where(at, noise, x)
}

describe('attention of one head', () => {
  const [queries, keys, features, keyFeatures, valueFeatures] = [2, 3, 4, 5, 2]
  const layer = multiHeadAttention(features, 1, { keyFeatures, valueFeatures })
  const { params } = layer.init(t.key(1), [queries, features])
  const q = sample(t.key(2), queries * features)
  const k = sample(t.key(3), keys * keyFeatures)
  const v = sample(t.key(4), keys * valueFeatures)
  const inputs = {
    query: t.tensor(q, [1, queries, features]),
    key: t.tensor(k, [1, keys, keyFeatures]),
    value: t.tensor(v, [1, keys, valueFeatures]),
  }
  const through = (x: number[], size: number, { weight, bias }: LinearParams): number[][] => {
    const [w, b] = [weight.toArray() as number[][], bias.toArray() as number[]]
    return rowsOf(x, size).map((row) =>
      b.map((offset, j) => sum(row.map((value, i) => value * w[i]![j]!)) + offset),
    )
  }
  const [qs, ks, vs] = [
    through(q, features, params.query),
    through(k, keyFeatures, params.key),
    through(v, valueFeatures, params.value),
  ]
  const probabilities = qs!.map((query) => {
    const exps = ks!.map((key) =>
      Math.exp(sum(key.map((value, d) => value * query[d]!)) / Math.sqrt(features)),
    )
    return exps.map((value) => value / sum(exps))
  })

  test('is softmax(Q K^T / sqrt(d)) V, of queries, keys and values of their own sizes', () => {
    const found = probabilities.map((row) => vs![0]!.map((_, d) => sum(row.map((p, j) => p * vs![j]![d]!))))
    const wanted = through(found.flat(), features, params.output)
    expectClose(layer.attend(params, inputs, inference).toFloat32Array(), wanted.flat())
    expectClose(layer.weights(params, inputs).toFloat32Array(), probabilities.flat())
  })

  test('drops weights of attention by the mask of its key, and scales the rest', () => {
    const dropping = multiHeadAttention(features, 1, { keyFeatures, valueFeatures, dropout: 0.25 })
    const key = t.key(6)
    const kept = t.bernoulliValues(key, queries * keys, 0.75)
    const found = probabilities.map((row, i) =>
      vs![0]!.map((_, d) => sum(row.map((p, j) => (kept[i * keys + j]! * p * vs![j]![d]!) / 0.75))),
    )
    const wanted = through(found.flat(), features, params.output)
    const y = dropping.attend(params, inputs, { training: true, path: '', key })
    expect([...kept]).toContain(0)
    expectClose(y.toFloat32Array(), wanted.flat())
  })
})

describe('multi-head attention', () => {
  const [rows, length, features] = [2, 4, 6]
  const x = t.normal(t.key(1), [rows, length, features])
  const layer = multiHeadAttention(features, 3)
  const dropping = multiHeadAttention(features, 3, { dropout: 0.5, causal: true })
  const { params } = layer.init(t.key(2), [length, features])
  const training: Context = { training: true, path: '', key: t.key(3) }

  /** Both ways of computing it: as one operation, and composed, where weights are dropped. */
  const ways: readonly [string, (inputs: Attended) => t.Tensor][] = [
    ['fused', (inputs) => layer.attend(params, inputs, inference)],
    ['composed', (inputs) => dropping.attend(params, { causal: false, ...inputs }, training)],
  ]

  test.each(ways)('takes nothing from a key that is hidden, bit for bit: %s', (_, attend) => {
    const keyMask = t.tensor([
      [1, 0, 1, 0],
      [1, 0, 1, 0],
    ])
    const mask = t.tensor([1, 0, 1, 0])
    const other = changedAt(x, [1, 3])
    expect(bits(attend({ query: x, key: other }))).not.toEqual(bits(attend({ query: x, key: x })))
    for (const masks of [{ keyMask }, { mask }, { keyMask, mask: t.ones([4, 4]) }]) {
      expect(bits(attend({ query: x, key: other, ...masks }))).toEqual(
        bits(attend({ query: x, key: x, ...masks })),
      )
      const gradient = t.grad((key: t.Tensor) => t.sum(t.square(attend({ query: x, key, ...masks }))))(x)
      const ofKeys = t.norm(gradient, { axis: [0, 2] }).toArray() as number[]
      expect(ofKeys.map((size) => size > 0)).toEqual([true, false, true, false])
    }
  })

  // The weight 0 times NaN was NaN, and so was its gradient.
  test.each(ways)('takes nothing from padding, whatever stands there: %s', (_, attend) => {
    const keyMask = t.tensor([
      [1, 0, 1, 0],
      [1, 0, 1, 0],
    ])
    const given = { query: x, key: x, keyMask }
    const wanted = t.valueAndGrad((inputs: typeof given) => t.sum(attend(inputs)))(given)
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const key = t.where(t.expandDims(keyMask, -1), x, value)
      const found = t.valueAndGrad((inputs: typeof given) => t.sum(attend(inputs)))({ ...given, key })
      expect(found.value.item()).toBe(wanted.value.item())
      expect(bits(found.gradients.query)).toEqual(bits(wanted.gradients.query))
      expect(bits(found.gradients.key)).toEqual(bits(wanted.gradients.key))
    }
  })

  test.each(ways)('hides keys row by row, and query by query: %s', (_, attend) => {
    const one = t.tensor([
      [1, 1, 1, 1],
      [1, 1, 0, 1],
    ])
    const [here, there] = [x, changedAt(x, [2])].map((key) => attend({ query: x, key, keyMask: one }))
    expect(bits(t.slice(there!, 1))).toEqual(bits(t.slice(here!, 1)))
    expect(bits(t.slice(there!, 0, 1))).not.toEqual(bits(t.slice(here!, 0, 1)))
    const mask = t.tensor([[1], [1], [0], [1]])
    const found = attend({ query: x, mask: t.matmul(mask, mask, { transposeB: true }) })
    const bias = params.output.bias.toArray()
    expect((found.toArray() as number[][][]).map((row) => row[2])).toEqual([bias, bias])
  })

  test.each(ways)('takes a mask for each row, for all heads: %s', (_, attend) => {
    const keyMask = t.tensor([
      [1, 0, 1, 1],
      [1, 1, 0, 1],
    ])
    const mask = t.expandDims(keyMask, 1)
    expect(bits(attend({ query: x, mask }))).toEqual(bits(attend({ query: x, keyMask })))
  })

  test.each(ways)('finds nothing where all keys are hidden, with gradients of zeros: %s', (_, attend) => {
    const gradient = t.grad((at: t.Tensor) => t.sum(t.square(attend({ query: at, mask: t.zeros([1]) }))))(x)
    expect(bits(gradient).every((value) => value === 0)).toBe(true)
  })

  test.each(ways)('sees nothing later where it is causal, bit for bit: %s', (_, attend) => {
    const before = attend({ query: x, causal: true }).toArray() as number[][][]
    const after = attend({ query: changedAt(x, [2, 3]), causal: true }).toArray() as number[][][]
    for (const [i, row] of before.entries()) {
      expect(after[i]!.slice(0, 2)).toEqual(row.slice(0, 2))
      expect(after[i]![2]).not.toEqual(row[2])
    }
  })

  test('is causal as it was made, unless it is told otherwise', () => {
    const causal = multiHeadAttention(features, 3, { causal: true })
    const asLayer = causal.apply(params, null, x, inference).y
    expect(bits(asLayer)).toEqual(bits(layer.attend(params, { query: x, causal: true }, inference)))
    expect(bits(causal.attend(params, { query: x, causal: false }, inference))).toEqual(
      bits(layer.apply(params, null, x, inference).y),
    )
    const [first] = causal.weights(params, { query: x }).toArray() as number[][][][]
    for (const [i, row] of first![0]!.entries()) {
      expect(row.map((weight) => weight > 0)).toEqual([0, 1, 2, 3].map((key) => key <= i))
    }
  })

  test('finds values in keys of another size, where it is told of no other values', () => {
    const key = t.normal(t.key(7), [rows, 5, 2])
    const crossing = multiHeadAttention(features, 3, { keyFeatures: 2 })
    const made = crossing.init(t.key(8), [length, features]).params
    const inputs = { query: x, key }
    const found = crossing.attend(made, inputs, inference)
    expect(found.shape).toEqual([rows, length, features])
    expect(bits(found)).toEqual(bits(crossing.attend(made, { ...inputs, value: key }, inference)))
  })

  test('drops nothing at inference: the same bits', () => {
    expect(bits(dropping.apply(params, null, x, inference).y)).toEqual(
      bits(layer.attend(params, { query: x, causal: true }, inference)),
    )
    // Nor does it hold all weights in memory, as it must where some are dropped.
    const operations = (ctx: Context): (string | undefined)[] =>
      t
        .graph((at: t.Tensor) => dropping.apply(params, null, at, ctx).y, x)
        .nodes.map(({ operation }) => operation)
    expect(operations(inference)).toContain('scaledDotProductAttention')
    expect(operations(training)).not.toContain('scaledDotProductAttention')
  })

  test('takes the mean of the values where keys are equal', () => {
    const key = t.broadcastTo(t.normal(t.key(8), [1, 1, features]), [rows, length, features])
    const found = layer.attend(params, { query: x, key, value: x }, inference)
    const mean = t.mean(linear(features, features).apply(params.value, null, x, inference).y, {
      axis: 1,
      keepDims: true,
    })
    const wanted = linear(features, features).apply(params.output, null, mean, inference).y
    expectClose(bits(found), bits(t.broadcastTo(wanted, x.shape)))
  })

  test('gives places in another order for places in that order, and not where it knows positions', () => {
    const order = t.tensor([2, 0, 3, 1])
    const reorder = (at: t.Tensor): t.Tensor => t.gather(at, order, { axis: 1 })
    expectClose(
      bits(layer.apply(params, null, reorder(x), inference).y),
      bits(reorder(layer.apply(params, null, x, inference).y)),
    )
    const turning = multiHeadAttention(features, 3, { rotary: true })
    const [turned, same] = [
      turning.apply(params, null, reorder(x), inference).y,
      reorder(turning.apply(params, null, x, inference).y),
    ]
    expect(t.max(t.abs(t.sub(turned!, same!))).item()).toBeGreaterThan(1e-3)
  })

  test('knows how far places are apart and nothing else, where it is turned by them', () => {
    const turning = multiHeadAttention(features, 1, { rotary: true })
    const weights = (at: t.Tensor): number[][] =>
      (turning.weights(params, { query: at }).toArray() as number[][][][])[0]![0]!
    const early = weights(t.slice(x, 0, 1))
    // Behind two more places, the ratios of weights among the same four stay.
    const late = weights(t.concat([t.normal(t.key(9), [1, 2, features]), t.slice(x, 0, 1)], { axis: 1 }))
    for (const [i, row] of early.entries()) {
      const own = late[i + 2]!.slice(2)
      expectClose(
        own.map((weight) => weight / sum(own)),
        row,
        1e-5,
      )
    }
  })

  test('shows its weights: they add up to 1, and those of hidden keys are 0', () => {
    const keyMask = t.tensor([
      [1, 1, 0, 1],
      [0, 0, 0, 0],
    ])
    const weights = layer.weights(params, { query: x, keyMask })
    expect(weights.shape).toEqual([2, 3, 4, 4])
    const sums = bits(t.sum(weights, { axis: -1 }))
    expectClose(sums.slice(0, 12), new Array(12).fill(1))
    expect(sums.slice(12)).toEqual(new Array(12).fill(0))
    expect(bits(t.max(weights, { axis: [0, 1, 2] }))[2]).toBe(0)
  })

  test('gives the same composed as fused, whatever it is told to see', () => {
    const masks = [
      {},
      { causal: true },
      { mask: t.tensor([1, 0, 1, 1]) },
      { keyMask: t.tensor([[1, 0, 1, 1]]), causal: true },
      { mask: t.tensor([[[1, 1, 0, 1]]]), keyMask: t.tensor([[0, 1, 1, 1]]) },
    ]
    const query = t.slice(x, 0, 1)
    const single = multiHeadAttention(features, 1)
    for (const seen of masks) {
      const value = linear(features, features).apply(params.value, null, query, inference).y
      const found = t.matmul(t.squeeze(single.weights(params, { query, ...seen }), { axis: 1 }), value)
      const { y } = linear(features, features).apply(params.output, null, found, inference)
      expectClose(bits(single.attend(params, { query, ...seen }, inference)), bits(y))
    }
  })

  test('gives compiled what it gives eagerly, with masks, and leaves nothing in the heap', () => {
    const f = (key: t.Tensor, keyMask: t.Tensor, mask: t.Tensor): t.Tensor =>
      layer.attend(params, { query: x, key, keyMask, mask, causal: true }, inference)
    const inputs = [
      changedAt(x, [1]),
      t.tensor([
        [1, 1, 0, 1],
        [1, 0, 1, 1],
      ]),
      t.tensor([1, 1, 1, 0]),
    ] as const
    const compiled = t.compile(f)
    expect(bits(compiled(...inputs))).toEqual(bits(f(...inputs)))
    compiled.dispose()
    const before = t.memory().tensors
    f(...inputs).dispose()
    layer.weights(params, { query: x, keyMask: inputs[1], mask: inputs[2] }).dispose()
    dropping.attend(params, { query: x, keyMask: inputs[1], mask: inputs[2] }, training).dispose()
    expect(t.memory().tensors).toBe(before)
  })

  test('draws four weights that differ, by Glorot unless told otherwise', () => {
    const { query, key, value, output } = params
    const drawn = [query, key, value, output].map(({ weight }) => String(bits(weight)))
    expect(new Set(drawn).size).toBe(4)
    const limit = Math.sqrt(6 / (2 * features))
    expect(Math.max(...bits(query.weight).map(Math.abs))).toBeLessThanOrEqual(limit)
    expect(bits(query.bias)).toEqual(new Array(features).fill(0))
    const own = multiHeadAttention(2, 2, { depth: 3, weight: (_, shape) => t.full(shape, 0.5) })
    const made = own.init(t.key(1), [1, 2]).params
    expect([made.query, made.key, made.value, made.output].map(({ weight }) => weight.shape)).toEqual([
      [2, 6],
      [2, 6],
      [2, 6],
      [6, 2],
    ])
    expect(bits(made.output.weight)).toEqual(new Array(12).fill(0.5))
  })

  test('hands out its parts to a tap, by path', () => {
    const tapped: string[] = []
    layer.apply(params, null, x, {
      ...inference,
      path: 'layers.1',
      tap: (path, y) => tapped.push(`${path} ${t.showShape(y.shape)}`),
    })
    expect(tapped).toEqual(['query', 'key', 'value', 'output'].map((name) => `layers.1.${name} [2,4,6]`))
    const { layers } = t.graph((at: t.Tensor) => layer.apply(params, null, at, inference).y, x)
    expect(layers).toEqual(['query', 'key', 'value', 'output'])
  })
})
