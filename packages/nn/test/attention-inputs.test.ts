import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Attended,
  type Context,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
  type MultiHeadAttentionParams,
  multiHeadAttention,
  type ParamsOf,
  sequential,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const inference: Context = { training: false, path: '' }

describe('multi-head attention', () => {
  const x = t.normal(t.key(1), [2, 4, 6])
  const layer = multiHeadAttention(6, 3)
  const dropping = multiHeadAttention(6, 3, { dropout: 0.5 })
  const { params } = layer.init(t.key(2), [4, 6])

  test('keeps its size and its parameters, for the type checker', () => {
    const model = sequential(linear(3, 6), multiHeadAttention(6, 2, { useBias: false }), linear(6, 1))
    expectTypeOf<ParamsOf<typeof model>['layers'][1]>().toEqualTypeOf<{
      readonly query: LinearParamsWithoutBias
      readonly key: LinearParamsWithoutBias
      readonly value: LinearParamsWithoutBias
      readonly output: LinearParamsWithoutBias
    }>()
    expectTypeOf(params).toEqualTypeOf<MultiHeadAttentionParams>()
    expectTypeOf(params).toExtend<t.Tree>()
    expectTypeOf(params.query).toEqualTypeOf<LinearParams>()
    expect(t.paths(model.init(t.key(1), [4, 3]).params.layers[1])).toEqual(
      ['key', 'output', 'query', 'value'].map((name) => `${name}.weight`),
    )
    // @ts-expect-error takes 6 features, but the layer before gives 5
    const wrong = sequential(linear(3, 5), multiHeadAttention(6, 2))
    expect(() => wrong.init(t.key(1), [4, 3])).toThrow(
      'sequential: layer 1 (multiHeadAttention 6, 2 heads) takes 6 features, layer 0 (linear 3 -> 5) gives 5;',
    )
    // @ts-expect-error what looks is a must
    expect(() => layer.attend(params, { key: x }, inference)).toThrow(
      refusal(
        TypeError,
        'multiHeadAttention: the query must be a tensor, got undefined; wrap arrays in t.tensor',
      ),
    )
  })

  test('refuses what does not fit, and says where it stands', () => {
    const ctx: Context = { training: false, path: 'layers.2' }
    const refuses = (inputs: Attended, text: string): void => {
      expect(() => layer.attend(params, inputs, ctx)).toThrow(
        refusal(RangeError, `multiHeadAttention: ${text}`),
      )
    }
    const batches =
      "the layer at 'layers.2' takes queries […, queries, features] and as many keys as values, of the same batch, got"
    const hint = 'give them three axes: [rows, length, features]'
    refuses({ query: t.ones([6]) }, `${batches} [6]; ${hint}`)
    refuses({ query: x, key: t.ones([1, 4, 6]) }, `${batches} [2,4,6], [1,4,6] and [1,4,6]; ${hint}`)
    refuses({ query: x, value: t.ones([2, 3, 6]) }, `${batches} [2,4,6], [2,4,6] and [2,3,6]; ${hint}`)
    refuses(
      { query: x, key: t.ones([2, 3, 6]), mask: t.ones([2, 3]) },
      "the mask of the layer at 'layers.2' must broadcast to [2,4,3], got [2,3]; pass 1 where a query sees a key; what hides keys from all queries is a keyMask",
    )
    refuses(
      { query: x, keyMask: t.ones([4]) },
      "the keyMask of the layer at 'layers.2' must have shape [2,4], got [4]; pass 1 for each key that is there, 0 for padding",
    )
    expect(() => layer.attend(params, { query: x, key: t.ones([2, 3, 5]) }, ctx)).toThrow(
      "linear: the layer at 'layers.2.key' takes 6 features, got an input of shape [2,3,5];",
    )
    expect(() => dropping.apply(params, null, x, { training: true, path: 'layers.2' })).toThrow(
      "dropout: the layer at 'layers.2' needs a key while it trains;",
    )
    expect(() => layer.init(t.key(1), [6])).toThrow(
      refusal(
        RangeError,
        "multiHeadAttention: the layer takes samples [length, 6], got samples of shape [6]; make the last axis the layer's features",
      ),
    )
  })

  test('refuses sizes that do not divide', () => {
    const text = 'a head must have a whole number of features, got 6 features for 4 heads'
    expect(() => multiHeadAttention(6, 4)).toThrow(
      refusal(
        RangeError,
        `multiHeadAttention: ${text}; choose heads that divide the features, or pass a depth`,
      ),
    )
    expect(() => multiHeadAttention(6, 2, { rotary: true })).toThrow(
      refusal(
        RangeError,
        'multiHeadAttention: rotary turns pairs of features, got heads of depth 3; make the depth even',
      ),
    )
    expect(() => multiHeadAttention(6, 0)).toThrow(
      refusal(RangeError, 'multiHeadAttention: heads must be an integer from 1 on, got 0; count heads'),
    )
    expect(() => multiHeadAttention(6, 2, { dropout: 1 })).toThrow(
      'dropout: p must be at least 0 and below 1, got 1;',
    )
  })
})
