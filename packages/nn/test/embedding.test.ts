import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type Context,
  type EmbeddingParams,
  embedding,
  type Layer,
  linear,
  sequential,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }

describe('embedding', () => {
  const weight = t.tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ])

  test('gives a row for each index, whatever the shape of the indices', () => {
    const apply = (x: t.Tensor): unknown => embedding(3, 2).apply({ weight }, null, x, ctx).y.toArray()
    expect(apply(t.tensor([2, 0]))).toEqual([
      [5, 6],
      [1, 2],
    ])
    expect(apply(t.tensor([[1], [1]]))).toEqual([[[3, 4]], [[3, 4]]])
    expect(embedding(3, 2).init(t.key(1), []).outputShape).toEqual([2])
    expect(embedding(3, 2).init(t.key(1), [7]).outputShape).toEqual([7, 2])
    expect(embedding(3, 2).apply({ weight }, null, t.zeros([0, 4]), ctx).y.shape).toEqual([0, 4, 2])
  })

  test('adds up what a row is given wherever its index stands', () => {
    const slopes = t.grad((p: EmbeddingParams) =>
      t.sum(t.mul(embedding(3, 2).apply(p, null, t.tensor([2, 0, 2]), ctx).y, t.tensor([[1], [10], [100]]))),
    )({ weight })
    expect(slopes.weight.toArray()).toEqual([
      [10, 10],
      [0, 0],
      [101, 101],
    ])
  })

  test('gives zeros for padding, whose row is not trained', () => {
    const layer = embedding(3, 2, { padding: 2 })
    const x = t.tensor([
      [2, 0],
      [1, 2],
    ])
    const apply = (p: EmbeddingParams): t.Tensor => layer.apply(p, null, x, ctx).y
    expect(apply({ weight }).toArray()).toEqual([
      [
        [0, 0],
        [1, 2],
      ],
      [
        [3, 4],
        [0, 0],
      ],
    ])
    expect(
      t
        .grad((p: EmbeddingParams) => t.sum(apply(p)))({ weight })
        .weight.toArray(),
    ).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
    ])
  })

  test('begins with standard normal numbers of its child, or what it is told', () => {
    const { params } = embedding(40, 50).init(t.key(3), [1])
    expect([...params.weight.toFloat32Array()]).toEqual([
      ...t.normalValues(t.foldIn(t.key(3), 'weight'), 2000),
    ])
    const seen: unknown[] = []
    embedding(3, 2, {
      weight: (_, shape, fanIn, fanOut) => {
        seen.push(shape, fanIn, fanOut)
        return t.zeros(shape)
      },
    }).init(t.key(1), [1])
    expect(seen).toEqual([[3, 2], 3, 2])
  })

  test('gives its features to what follows, for the type checker', () => {
    expectTypeOf(embedding(9, 4)).toEqualTypeOf<Layer<EmbeddingParams, null, number, 4>>()
    sequential(embedding(9, 4), linear(4, 1))
    // @ts-expect-error takes 5 features, but the layer before gives 4
    const wrong = sequential(embedding(9, 4), linear(5, 1))
    expect(() => wrong.init(t.key(1), [3])).toThrow(
      'sequential: layer 1 (linear 5 -> 1) takes 5 features, layer 0 (embedding 9 -> 4) gives 4;',
    )
  })

  test('refuses what is no index, where it is run and where it is compiled', () => {
    const apply = (x: t.Tensor): t.Tensor => embedding(3, 2).apply({ weight }, null, x, ctx).y
    const compiled = t.compile(apply)
    for (const f of [apply, compiled]) {
      expect(() =>
        f(
          t.tensor([
            [0, 1],
            [3, 0],
          ]),
        ),
      ).toThrow(
        refusal(RangeError, 'gather: index 3 at place 2 is not an integer from 0 to 2; count classes from 0'),
      )
      expect(() =>
        f(
          t.tensor([
            [0.5, 1],
            [2, 0],
          ]),
        ),
      ).toThrow('gather: index 0.5 at place 0 is not an integer')
    }
    compiled.dispose()
  })

  test('refuses sizes that are no counts, padding that is no index, and initialisers that give another shape', () => {
    expect(() => embedding(0, 2)).toThrow(
      refusal(RangeError, 'embedding: indices must be an integer from 1 on, got 0; count indices'),
    )
    expect(() => embedding(3, 2.5)).toThrow(
      refusal(RangeError, 'embedding: features must be an integer from 1 on, got 2.5; count features'),
    )
    for (const padding of [3, -1, 0.5]) {
      expect(() => embedding(3, 2, { padding })).toThrow(
        refusal(
          RangeError,
          `embedding: padding must be an integer from 0 to 2, got ${padding}; name one of the indices`,
        ),
      )
    }
    expect(() => embedding(3, 2, { weight: () => t.zeros([3]) }).init(t.key(1), [1])).toThrow(
      refusal(
        RangeError,
        'embedding: the weight must have shape [3,2], its initializer gives [3]; return the shape that is asked for',
      ),
    )
  })
})
