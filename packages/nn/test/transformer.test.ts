import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Context,
  embedding,
  layerNorm,
  learnedPositions,
  linear,
  multiHeadAttention,
  type ParamsOf,
  rotaryPositions,
  sequential,
  sinusoidalPositions,
  sparseCrossEntropy,
  type TransformerBlockParams,
  transformerBlock,
} from '../src/index.ts'
import { expectClose, refusal } from './float64.ts'

const inference: Context = { training: false, path: '' }
const bits = (x: t.Tensor): number[] => [...x.toFloat32Array()]

describe('transformerBlock', () => {
  const [rows, length, features] = [2, 4, 6]
  const x = t.normal(t.key(1), [rows, length, features])
  const block = transformerBlock(features, 2, { hidden: 5 })
  const { params } = block.init(t.key(2), [length, features])

  test('is the identity where its parts give zeros, bit for bit', () => {
    const silent = {
      ...params,
      attention: { ...params.attention, output: t.mapTensors(params.attention.output, t.zerosLike) },
      feedForward: { ...params.feedForward, output: t.mapTensors(params.feedForward.output, t.zerosLike) },
    }
    expect(bits(block.apply(silent, null, x, inference).y)).toEqual(bits(x))
    const post = transformerBlock(features, 2, { hidden: 5, norm: 'post' })
    const normed = (at: t.Tensor): t.Tensor => layerNorm().apply(params.attentionNorm, null, at, inference).y
    expect(bits(post.apply(silent, null, x, inference).y)).toEqual(bits(normed(normed(x))))
  })

  test('draws each part from a child of the key, by its name', () => {
    const own = t.foldIn(t.key(2), 'feedForward')
    const hidden = linear(features, 5).init(t.foldIn(own, 'hidden'), [features]).params
    const output = linear(5, features).init(t.foldIn(own, 'output'), [5]).params
    const attention = multiHeadAttention(features, 2).init(t.foldIn(t.key(2), 'attention'), [
      length,
      features,
    ])
    expect(t.toSnapshot(params.feedForward)).toEqual(t.toSnapshot({ hidden, output }))
    expect(t.toSnapshot(params.attention)).toEqual(t.toSnapshot(attention.params))
  })

  test('normalises with the epsilon that it is told', () => {
    const flat = transformerBlock(features, 2, { hidden: 5, norm: 'post', epsilon: 1e12 })
    expect(Math.max(...bits(flat.apply(params, null, x, inference).y).map(Math.abs))).toBeLessThan(1e-4)
  })

  test('gives mean 0 and variance 1 where it normalises last, and not where it normalises first', () => {
    const deviations = (norm: 'pre' | 'post'): number[] => {
      const { y } = transformerBlock(features, 2, { hidden: 5, norm }).apply(params, null, x, inference)
      return bits(t.std(y, { axis: -1 }))
    }
    expectClose(deviations('post'), new Array(rows * length).fill(1), 1e-4)
    expect(deviations('pre').some((deviation) => Math.abs(deviation - 1) > 0.1)).toBe(true)
  })

  test('sees nothing later where it is causal, several of them too, bit for bit', () => {
    const model = sequential(
      transformerBlock(features, 2, { causal: true }),
      transformerBlock(features, 3, { causal: true, norm: 'post', rotary: true }),
    )
    const made = model.init(t.key(3), [length, features])
    const apply = (at: t.Tensor): number[][][] =>
      model.apply(made.params, made.state, at, inference).y.toArray() as number[][][]
    const before = apply(x)
    const changed = t.concat([t.slice(x, [0, 0, 0], [rows, 3, features]), t.full([rows, 1, features], 9)], {
      axis: 1,
    })
    for (const [i, row] of apply(changed).entries()) {
      expect(row.slice(0, 3)).toEqual(before[i]!.slice(0, 3))
      expect(row[3]).not.toEqual(before[i]![3])
    }
  })

  test('gives a sequence that is filled up what it gives the sequence alone', () => {
    const short = t.slice(x, [0, 0, 0], [rows, 3, features])
    const keyMask = t.tensor([
      [1, 1, 1, 0],
      [1, 1, 1, 0],
    ])
    const filled = block.transform(params, x, { keyMask }, inference)
    const alone = block.apply(params, null, short, inference).y
    expectClose(bits(t.slice(filled, [0, 0, 0], [rows, 3, features])), bits(alone))
    const mask = t.tril(t.ones([length, length]))
    expect(bits(block.transform(params, x, { mask }, inference))).toEqual(
      bits(transformerBlock(features, 2, { hidden: 5, causal: true }).apply(params, null, x, inference).y),
    )
  })

  test('drops of each part by a mask of its own while it trains', () => {
    const dropping = transformerBlock(features, 2, { hidden: 5, dropout: 0.5 })
    const key = t.key(5)
    const ctx: Context = { training: true, path: '', key }
    const masked = (name: string, y: t.Tensor): t.Tensor =>
      t.mul(y, t.mul(t.bernoulli(t.foldIn(key, name), y.shape, 0.5), 2))
    const parts = new Map<string, t.Tensor>()
    const { y } = dropping.apply(params, null, x, { ...ctx, tap: (path, part) => parts.set(path, part) })
    const h = t.add(x, masked('attentionDropout', parts.get('attention')!))
    expect(bits(y)).toEqual(bits(t.add(h, masked('feedForwardDropout', parts.get('feedForward')!))))
    expect(bits(dropping.apply(params, null, x, inference).y)).toEqual(
      bits(block.apply(params, null, x, inference).y),
    )
    const attentive = transformerBlock(features, 2, { hidden: 5, attentionDropout: 0.5 })
    attentive.apply(params, null, x, { ...ctx, tap: (path, part) => parts.set(path, part) })
    const inner: Context = { ...ctx, key: t.foldIn(key, 'attention') }
    const alone = multiHeadAttention(features, 2, { dropout: 0.5 })
    const query = parts.get('attentionNorm')!
    expect(bits(parts.get('attention')!)).toEqual(bits(alone.attend(params.attention, { query }, inner)))
  })

  test('names its parts, in trees, in taps and in graphs', () => {
    expectTypeOf(params).toEqualTypeOf<TransformerBlockParams>()
    expectTypeOf(params).toExtend<t.Tree>()
    const norms = ['beta', 'gamma']
    const affine = ['bias', 'weight']
    expect(t.paths(params)).toEqual([
      ...['key', 'output', 'query', 'value'].flatMap((name) =>
        affine.map((one) => `attention.${name}.${one}`),
      ),
      ...norms.map((one) => `attentionNorm.${one}`),
      ...['hidden', 'output'].flatMap((name) => affine.map((one) => `feedForward.${name}.${one}`)),
      ...norms.map((one) => `feedForwardNorm.${one}`),
    ])
    const tapped: string[] = []
    block.apply(params, null, x, { ...inference, path: 'layers.1', tap: (path) => tapped.push(path) })
    const inAttention = ['query', 'key', 'value', 'output'].map((name) => `attention.${name}`)
    const places = [...inAttention, 'attention', 'feedForward.hidden', 'feedForward.output', 'feedForward']
    expect(tapped).toEqual(
      ['attentionNorm', ...places.slice(0, 5), 'feedForwardNorm', ...places.slice(5)].map(
        (name) => `layers.1.${name}`,
      ),
    )
    const { layers } = t.graph((at: t.Tensor) => block.apply(params, null, at, inference).y, x)
    expect(layers.filter((path) => !tapped.includes(`layers.1.${path}`))).toEqual([])
  })

  test('learns what takes attention and positions: to name the first of a sequence, at its end', () => {
    const model = sequential(
      embedding(3, 8),
      learnedPositions(4),
      transformerBlock(8, 2, { causal: true, hidden: 8 }),
      layerNorm(),
      linear(8, 3),
    )
    const all = Array.from({ length: 81 }, (_, i) => [27, 9, 3, 1].map((by) => Math.floor(i / by) % 3))
    const inputs = t.tensor(all)
    const labels = t.tensor(all.map(([first]) => first!))
    const { params: start, state } = model.init(t.key(1), [4])
    const logits = (p: typeof start): t.Tensor =>
      t.squeeze(t.slice(model.apply(p, state, inputs, inference).y, [0, 3, 0], [81, 4, 3]), { axis: 1 })
    const step = t.compile(t.valueAndGrad((p: typeof start) => sparseCrossEntropy()(logits(p), labels)))
    const losses: number[] = []
    t.fold(start, Array.from({ length: 60 }), (p) => {
      const { value, gradients } = step(p)
      losses.push(value.item())
      return t.zipTensors([p, gradients], (weight, g) => t.sub(weight, t.mul(g, 0.5)))
    })
    step.dispose()
    expect(losses[0]).toBeGreaterThan(0.9)
    expect(losses[59]).toBeLessThan(0.05)
  })

  test('fits its neighbours, for the type checker', () => {
    const model = sequential(embedding(9, 6), sinusoidalPositions(), transformerBlock(6, 2), linear(6, 2))
    expectTypeOf<ParamsOf<typeof model>['layers'][2]>().toEqualTypeOf<TransformerBlockParams>()
    // @ts-expect-error takes 8 features, but the layer before gives 6
    const wrong = sequential(embedding(9, 6), sinusoidalPositions(), transformerBlock(8, 2))
    expect(() => wrong.init(t.key(1), [4])).toThrow(
      'sequential: layer 2 (transformerBlock 8, 2 heads) takes 8 features, layer 0 (embedding 9 -> 6) gives 6;',
    )
  })

  test('refuses what does not fit', () => {
    expect(() => transformerBlock(6, 2, { norm: 'before' as 'pre' })).toThrow(
      refusal(TypeError, "transformerBlock: norm must be 'pre' or 'post', got 'before'"),
    )
    expect(() => transformerBlock(6, 2, { hidden: 0 })).toThrow(
      refusal(
        RangeError,
        'transformerBlock: hidden units must be an integer from 1 on, got 0; count hidden units',
      ),
    )
    expect(() => transformerBlock(6, 4)).toThrow(
      'multiHeadAttention: a head must have a whole number of features',
    )
    expect(() => block.init(t.key(1), [6])).toThrow(
      'multiHeadAttention: the layer takes samples [length, 6], got samples of shape [6];',
    )
    expect(() =>
      block.transform(params, x, { keyMask: t.ones([4]) }, { ...inference, path: 'layers.1' }),
    ).toThrow(
      "multiHeadAttention: the keyMask of the layer at 'layers.1.attention' must have shape [2,4], got [4];",
    )
  })
})

describe('positions', () => {
  test('as waves: what the paper says of places and features, for sequences of any length', () => {
    const { y } = sinusoidalPositions().apply(null, null, t.zeros([1, 30, 6]), inference)
    const table = (y.toArray() as number[][][])[0]!
    for (const [p, row] of table.entries()) {
      for (const [i, value] of row.entries()) {
        const angle = p / 10000 ** ((i - (i % 2)) / 6)
        expect(value).toBe(Math.fround(i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)))
      }
    }
    // A shift by k places turns each pair by one angle, wherever it begins (section 3.5).
    const pair = (p: number): [number, number] => [table[p]![2]!, table[p]![3]!]
    const angle = 5 / 10000 ** (2 / 6)
    for (const p of [0, 7, 20]) {
      const [sin, cos] = pair(p)
      expectClose(pair(p + 5), [
        sin * Math.cos(angle) + cos * Math.sin(angle),
        cos * Math.cos(angle) - sin * Math.sin(angle),
      ])
    }
  })

  test('that are learned: only rows that are used have gradients', () => {
    const layer = learnedPositions(4)
    const { params } = layer.init(t.key(1), [4, 2])
    expect(bits(params.weight)).toEqual([...t.normalValues(t.foldIn(t.key(1), 'weight'), 8)])
    const slopes = t.grad((p: typeof params) => t.sum(layer.apply(p, null, t.zeros([3, 2, 2]), inference).y))(
      params,
    )
    expect(slopes.weight.toArray()).toEqual([
      [3, 3],
      [3, 3],
      [0, 0],
      [0, 0],
    ])
  })

  test('that turn: lengths stay, and products depend on distances', () => {
    const [q, k] = [t.normal(t.key(1), [1, 4]), t.normal(t.key(2), [1, 4])]
    const everywhere = (x: t.Tensor): t.Tensor => rotaryPositions(t.broadcastTo(x, [6, 4]))
    const products = t.matmul(everywhere(q), everywhere(k), { transposeB: true }).toArray() as number[][]
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 5; j++) expectClose([products[i + 1]![j + 1]!], [products[i]![j]!], 1e-5)
    }
    expect(Math.abs(products[0]![0]! - products[0]![3]!)).toBeGreaterThan(0.01)
    expectClose(bits(t.norm(everywhere(q), { axis: 1 })), new Array(6).fill(t.norm(q).item()))
    expect(bits(t.slice(everywhere(q), 0, 1))).toEqual(bits(q))
  })

  test('refuse what is no sequence, or too long a one', () => {
    const ctx: Context = { training: false, path: 'layers.1' }
    expect(() => sinusoidalPositions().init(t.key(1), [4])).toThrow(
      refusal(
        RangeError,
        'sinusoidalPositions: samples must be [length, features], got shape [4]; put an embedding before it',
      ),
    )
    expect(() => sinusoidalPositions().apply(null, null, t.ones([4]), ctx)).toThrow(
      refusal(
        RangeError,
        "sinusoidalPositions: the layer at 'layers.1' takes sequences [length, features], got shape [4]; put an embedding before it",
      ),
    )
    const layer = learnedPositions(2)
    const { params } = layer.init(t.key(1), [2, 3])
    expect(() => layer.apply(params, null, t.ones([1, 3, 3]), ctx)).toThrow(
      refusal(
        RangeError,
        "learnedPositions: the layer at 'layers.1' has 2 places, got a sequence of 3; cut the sequence, or make the layer longer",
      ),
    )
    expect(() => layer.init(t.key(1), [3, 3])).toThrow(
      'learnedPositions: the layer has 2 places, got a sequence of 3;',
    )
    expect(() => layer.apply(params, null, t.ones([1, 2, 1]), ctx)).toThrow(
      refusal(
        RangeError,
        "learnedPositions: the layer at 'layers.1' takes 3 features, got an input of shape [1,2,1]; pass samples like those of init",
      ),
    )
    expect(() => learnedPositions(0)).toThrow(
      refusal(RangeError, 'learnedPositions: places must be an integer from 1 on, got 0; count places'),
    )
    expect(() => rotaryPositions(t.ones([2, 3]))).toThrow(
      refusal(
        RangeError,
        'rotaryPositions: x must be […, length, features] with an even number of features, got shape [2,3]; turn pairs of features',
      ),
    )
    expect(() => rotaryPositions(t.ones([2, 2]), { base: 0 })).toThrow(
      refusal(
        RangeError,
        'rotaryPositions: base must be a finite number above 0, got 0; leave it out for 10000',
      ),
    )
  })
})
