import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type AnyLayer,
  avgPool1d,
  avgPool2d,
  type Context,
  flatten,
  globalAvgPool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  reshape,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }
const below: Context = { training: true, path: 'layers.2' }

describe('pools', () => {
  test('never take the padding for the largest, nor count it', () => {
    const x = t.full([1, 3, 1], -2)
    expect(maxPool1d(2, { padding: 1 }).apply(null, null, x, ctx).y.toArray()).toEqual([[[-2], [-2]]])
    expect(avgPool1d(2, { padding: 1 }).apply(null, null, x, ctx).y.toArray()).toEqual([[[-2], [-2]]])
    const counted = avgPool1d(2, { padding: [1, 0], countIncludePadding: true })
    expect(counted.apply(null, null, x, ctx).y.toArray()).toEqual([[[-1], [-2]]])
  })

  test.each<[AnyLayer, string, string]>([
    [maxPool1d(2), 'length', 'length'],
    [avgPool1d(2), 'length', 'length'],
    [maxPool2d(2), 'height, width', 'height, width'],
    [avgPool2d(2), 'height, width', 'height, width'],
  ])('refuse other axes, naming the path: %#', (layer, axes) => {
    const { name } = layer
    expect(() => layer.apply(null, null, t.ones([2, 5]), below)).toThrow(
      refusal(
        RangeError,
        `${name}: the layer at 'layers.2' takes ${axes} and channels, got an input of shape [2,5]; pass [rows, ${axes}, channels]`,
      ),
    )
    expect(() => layer.init(t.key(1), [5])).toThrow(
      refusal(
        RangeError,
        `${name}: the layer takes ${axes} and channels, got samples of shape [5]; pass [${axes}, channels]`,
      ),
    )
  })

  test.each([globalAvgPool(), globalMaxPool()])(
    'over all places refuse samples without places: $name',
    (layer) => {
      expect(() => layer.apply(null, null, t.ones([2, 5]), below)).toThrow(
        refusal(
          RangeError,
          `${layer.name}: the layer at 'layers.2' takes places and channels, got an input of shape [2,5]; pass [rows, length, channels] or [rows, height, width, channels]`,
        ),
      )
      expect(() => layer.init(t.key(1), [5])).toThrow(
        refusal(
          RangeError,
          `${layer.name}: the layer takes places and channels, got samples of shape [5]; pass [length, channels] or [height, width, channels]`,
        ),
      )
    },
  )

  test('refuse windows that are no counts, and those that do not fit', () => {
    expect(() => maxPool1d(0)).toThrow(
      refusal(RangeError, 'maxPool1d: size must be an integer from 1 on, got 0'),
    )
    expect(() => avgPool1d(2, { stride: 0.5 })).toThrow(
      refusal(RangeError, 'avgPool1d: stride must be an integer from 1 on, got 0.5'),
    )
    expect(() => maxPool2d(5).init(t.key(1), [4, 6, 1])).toThrow(
      refusal(
        RangeError,
        'maxPool2d: a window reaches over 5 rows, the padded input has 4; pad more, or use a smaller window or dilation',
      ),
    )
  })
})

describe('layers of other shapes', () => {
  test('reshape works out -1, and undoes flatten', () => {
    const x = t.normal(t.key(1), [2, 3, 4, 5])
    const { y } = flatten().apply(null, null, x, ctx)
    expect(y.shape).toEqual([2, 60])
    const back = reshape([3, -1, 5])
    expect(back.init(t.key(1), [60]).outputShape).toEqual([3, 4, 5])
    expect(back.apply(null, null, y, ctx).y.toArray()).toEqual(x.toArray())
    expect(flatten().init(t.key(1), []).outputShape).toEqual([1])
    expect(flatten().apply(null, null, t.ones([3]), ctx).y.shape).toEqual([3, 1])
    expect(reshape([]).apply(null, null, t.ones([3, 1]), ctx).y.shape).toEqual([3])
    expect(reshape([-1, 2]).apply(null, null, t.ones([0, 6]), ctx).y.shape).toEqual([0, 3, 2])
  })

  test('refuse what they cannot read', () => {
    const layer = reshape([28, 28, 1])
    expect(() => layer.init(t.key(1), [64])).toThrow(
      refusal(
        RangeError,
        'reshape: the layer cannot read samples of shape [64] as [28,28,1]; the number of elements must stay',
      ),
    )
    expect(() => layer.apply(null, null, t.ones([2, 392]), below)).toThrow(
      refusal(
        RangeError,
        "reshape: the layer at 'layers.2' cannot read an input of shape [2,392] as rows of [28,28,1]; the number of elements must stay",
      ),
    )
    expect(() => reshape([4, -1]).init(t.key(1), [6])).toThrow(
      'reshape: the layer cannot read samples of shape [6] as [4,-1]; the number of elements must stay',
    )
    for (const sizes of [[-1, -1], [0, 2], [1.5]]) {
      expect(() => reshape(sizes)).toThrow(
        refusal(
          RangeError,
          `reshape: sizes must be integers from 1 on, one of them -1 at most, got ${t.showShape(sizes)}`,
        ),
      )
    }
    expect(() => flatten().apply(null, null, t.tensor(1), below)).toThrow(
      refusal(RangeError, "flatten: the layer at 'layers.2' takes batches, got a scalar; pass [rows, …]"),
    )
  })
})
