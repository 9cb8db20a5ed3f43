import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type AnyLayer,
  type Context,
  type ConvolutionParams,
  conv1d,
  conv2d,
  convTranspose2d,
  depthwiseConv2d,
  dropout,
  flatten,
  glorotUniform,
  type Layer,
  linear,
  maxPool2d,
  type ParamsOf,
  relu,
  reshape,
  type SeparableParams,
  separableConv2d,
  sequential,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }
const below: Context = { training: true, path: 'layers.2' }

const shapesOf = (layer: AnyLayer, sample: t.Shape): Record<string, t.Shape> => {
  const { params } = layer.init(t.key(1), sample)
  const names = t.paths(params)
  return Object.fromEntries(t.leaves(params).map(({ shape }, i) => [names[i]!, shape]))
}

/** How many numbers a layer has to learn. */
const count = (layer: AnyLayer, sample: t.Shape): number =>
  Object.values(shapesOf(layer, sample)).reduce((sum, shape) => sum + t.sizeOf(shape), 0)

describe('parameters of convolutions', () => {
  // Taps x in x out + out, in and out of a group where there are groups.
  test.each<[string, AnyLayer, t.Shape, Record<string, t.Shape>, number, t.Shape]>([
    ['conv1d', conv1d(3, 5, 4), [9, 3], { bias: [5], weight: [4, 3, 5] }, 4 * 3 * 5 + 5, [6, 5]],
    [
      'conv2d',
      conv2d(3, 5, [2, 4]),
      [4, 4, 3],
      { bias: [5], weight: [2, 4, 3, 5] },
      8 * 3 * 5 + 5,
      [3, 1, 5],
    ],
    [
      'no bias',
      conv2d(3, 5, 2, { useBias: false }),
      [4, 4, 3],
      { weight: [2, 2, 3, 5] },
      4 * 3 * 5,
      [3, 3, 5],
    ],
    [
      'groups',
      conv2d(4, 6, 2, { groups: 2, padding: 'same', stride: 3 }),
      [4, 4, 4],
      { bias: [6], weight: [2, 2, 2, 6] },
      4 * 2 * 6 + 6,
      [2, 2, 6],
    ],
    [
      'depthwise',
      depthwiseConv2d(3, 2),
      [4, 4, 3],
      { bias: [3], weight: [2, 2, 1, 3] },
      4 * 3 + 3,
      [3, 3, 3],
    ],
    [
      'depthwise, four filters each',
      depthwiseConv2d(3, 2, { multiplier: 4 }),
      [4, 4, 3],
      { bias: [12], weight: [2, 2, 1, 12] },
      4 * 12 + 12,
      [3, 3, 12],
    ],
    [
      'separable',
      separableConv2d(3, 5, 2, { multiplier: 4 }),
      [4, 4, 3],
      { bias: [5], depthwise: [2, 2, 1, 12], pointwise: [12, 5] },
      4 * 12 + 12 * 5 + 5,
      [3, 3, 5],
    ],
    [
      'transposed',
      convTranspose2d(3, 5, 2, { stride: 2 }),
      [4, 4, 3],
      { bias: [5], weight: [2, 2, 5, 3] },
      4 * 3 * 5 + 5,
      [8, 8, 5],
    ],
    [
      'transposed, groups',
      convTranspose2d(4, 6, 3, { groups: 2, stride: 2, padding: 1, outputPadding: 1 }),
      [6, 6, 4],
      { bias: [6], weight: [3, 3, 3, 4] },
      9 * 2 * 6 + 6,
      [12, 12, 6],
    ],
  ])('%s', (_, layer, sample, shapes, numbers, outputShape) => {
    expect(shapesOf(layer, sample)).toEqual(shapes)
    expect(count(layer, sample)).toBe(numbers)
    expect(layer.init(t.key(1), sample).outputShape).toEqual(outputShape)
  })

  test('are as many as Keras counts in its example of a convolutional network for MNIST', () => {
    const [first, second] = [conv2d(1, 32, 3), conv2d(32, 64, 3)]
    expect(count(first, [28, 28, 1])).toBe(320)
    expect(count(second, [13, 13, 32])).toBe(18_496)
    const model = sequential(
      first,
      relu(),
      maxPool2d(2),
      second,
      relu(),
      maxPool2d(2),
      flatten(),
      dropout(0.5),
      linear(1600, 10),
    )
    expect(count(model, [28, 28, 1])).toBe(34_826)
  })

  test('start with a Glorot uniform weight and a zero bias, from children of the key', () => {
    const { params } = conv2d(3, 4, 2, { bias: glorotUniform }).init(t.key(5), [4, 4, 3])
    const [weight, bias] = ['weight', 'bias'].map((name) => t.foldIn(t.key(5), name))
    expect(params.weight.toArray()).toEqual(glorotUniform(weight!, [2, 2, 3, 4], 12, 16).toArray())
    expect(params.bias.toArray()).toEqual(glorotUniform(bias!, [4], 12, 16).toArray())
    expect(conv2d(3, 4, 2).init(t.key(5), [4, 4, 3]).params.bias.toArray()).toEqual([0, 0, 0, 0])
    const parts = separableConv2d(3, 4, 2).init(t.key(5), [4, 4, 3]).params
    const [depthwise, pointwise] = ['depthwise', 'pointwise'].map((name) => t.foldIn(t.key(5), name))
    expect(parts.depthwise.toArray()).toEqual(glorotUniform(depthwise!, [2, 2, 1, 3], 4, 4).toArray())
    expect(parts.pointwise.toArray()).toEqual(glorotUniform(pointwise!, [3, 4], 3, 4).toArray())
    expect(parts.bias.toArray()).toEqual([0, 0, 0, 0])
  })

  test('are drawn by fans that are taps x channels of a group', () => {
    const seen: unknown[] = []
    const draw = (_: t.Key, shape: t.Shape, fanIn: number, fanOut: number): t.Tensor => {
      seen.push([shape, fanIn, fanOut])
      return t.zeros(shape)
    }
    const start = { weight: draw, bias: draw }
    conv1d(4, 6, 5, { ...start, groups: 2 }).init(t.key(1), [9, 4])
    conv2d(4, 6, [2, 3], { ...start, groups: 2 }).init(t.key(1), [4, 4, 4])
    depthwiseConv2d(4, 3, { ...start, multiplier: 2 }).init(t.key(1), [4, 4, 4])
    convTranspose2d(4, 6, 3, { ...start, groups: 2 }).init(t.key(1), [4, 4, 4])
    separableConv2d(4, 6, 3, { depthwise: draw, pointwise: draw, bias: draw, multiplier: 2 }).init(
      t.key(1),
      [4, 4, 4],
    )
    expect(seen).toEqual([
      [[5, 2, 6], 10, 15],
      [[6], 10, 15],
      [[2, 3, 2, 6], 12, 18],
      [[6], 12, 18],
      [[3, 3, 1, 8], 9, 18],
      [[8], 9, 18],
      [[3, 3, 3, 4], 18, 27],
      [[6], 18, 27],
      [[3, 3, 1, 8], 9, 18],
      [[8, 6], 8, 6],
      [[6], 8, 6],
    ])
  })
})

describe('convolutions', () => {
  test('a transposed one is the adjoint of the one with its options and weight: <conv x, y> = <x, back y>', () => {
    const options = { stride: 2, padding: 1, useBias: false } as const
    const [there, back] = [
      conv2d(3, 2, 3, options),
      convTranspose2d(2, 3, 3, { ...options, outputPadding: 1 }),
    ]
    const { params } = there.init(t.key(1), [6, 6, 3])
    const [x, y] = [t.normal(t.key(2), [2, 6, 6, 3]), t.normal(t.key(3), [2, 3, 3, 2])]
    const left = t.sum(t.mul(there.apply(params, null, x, ctx).y, y)).item()
    const right = t.sum(t.mul(x, back.apply(params, null, y, ctx).y)).item()
    expect(left).toBeCloseTo(right, 4)
  })

  test('a causal one sees nothing that comes later', () => {
    const layer = conv1d(1, 2, 3, { padding: [4, 0], dilation: 2 })
    const { params, state } = layer.init(t.key(1), [8, 1])
    const x = t.normal(t.key(2), [1, 8, 1])
    const later = t.concat([t.slice(x, [0, 0], [1, 5]), t.normal(t.key(3), [1, 3, 1])], { axis: 1 })
    const [a, b] = [x, later].map((x) => layer.apply(params, state, x, ctx).y.toFloat32Array())
    expect(a!.length).toBe(16)
    expect(a!.subarray(0, 10)).toEqual(b!.subarray(0, 10))
    expect(a!.subarray(10)).not.toEqual(b!.subarray(10))
  })

  test('take images of another size than init was told, and no images', () => {
    const layer = conv2d(1, 2, 3)
    const { params, state } = layer.init(t.key(1), [4, 4, 1])
    expect(layer.apply(params, state, t.ones([2, 9, 5, 1]), ctx).y.shape).toEqual([2, 7, 3, 2])
    expect(layer.apply(params, state, t.ones([0, 4, 4, 1]), ctx).y.shape).toEqual([0, 2, 2, 2])
  })

  const both: readonly (readonly [Layer<unknown, null>, t.Shape, string])[] = [
    [conv2d(3, 8, 3), [9, 9, 3], 'height, width'],
    [convTranspose2d(3, 8, 3), [9, 9, 3], 'height, width'],
    [depthwiseConv2d(3, 3), [9, 9, 3], 'height, width'],
    [separableConv2d(3, 8, 3), [9, 9, 3], 'height, width'],
    [conv1d(3, 8, 3), [9, 3], 'length'],
  ]
  test.each(both)('refuse other channels and other axes, naming the path: %#', (layer, sample, axes) => {
    const { params } = layer.init(t.key(1), sample)
    const operation = layer.name!.split(' ')[0]
    const other = [...sample.slice(0, -1), 5]
    const refused = (shape: t.Shape, place: string): Error =>
      refusal(
        RangeError,
        `${operation}: the layer${place} takes 3 channels, got an input of shape ${t.showShape(shape)}; pass [rows, ${axes}, 3]`,
      )
    expect(() => layer.apply(params, null, t.ones([2, ...other]), below)).toThrow(
      refused([2, ...other], " at 'layers.2'"),
    )
    expect(() => layer.apply(params, null, t.ones(sample), ctx)).toThrow(refused(sample, ''))
    for (const wrong of [other, [3]]) {
      expect(() => layer.init(t.key(1), wrong)).toThrow(
        refusal(
          RangeError,
          `${operation}: the layer takes 3 channels, got samples of shape ${t.showShape(wrong)}; pass [${axes}, 3]`,
        ),
      )
    }
  })

  test('refuse what is no count, groups that do not divide, windows that do not fit, and names that they do not know', () => {
    expect(() => conv2d(0, 4, 3)).toThrow(
      refusal(RangeError, 'conv2d: inChannels must be an integer from 1 on, got 0'),
    )
    expect(() => conv1d(1, 2.5, 3)).toThrow(
      refusal(RangeError, 'conv1d: outChannels must be an integer from 1 on, got 2.5'),
    )
    expect(() => conv1d(1, 2, 0)).toThrow(
      refusal(RangeError, 'conv1d: the length of the filter must be an integer from 1 on, got 0'),
    )
    expect(() => convTranspose2d(1, 2, [3, -1])).toThrow(
      refusal(RangeError, 'convTranspose2d: the width of the filter must be an integer from 1 on, got -1'),
    )
    expect(() => depthwiseConv2d(1, 'three' as unknown as number)).toThrow(
      refusal(
        RangeError,
        'depthwiseConv2d: the height of the filter must be an integer from 1 on, got a string',
      ),
    )
    expect(() => separableConv2d(1, 2, 3, { multiplier: 0 })).toThrow(
      refusal(RangeError, 'separableConv2d: multiplier must be an integer from 1 on, got 0'),
    )
    expect(() => conv2d(4, 6, 3, { groups: 4 })).toThrow(
      refusal(RangeError, 'conv2d: 4 groups do not divide 4 and 6 channels; use a divisor of both'),
    )
    expect(() => conv2d(4, 6, 3, { weight: () => t.zeros([3]) }).init(t.key(1), [4, 4, 4])).toThrow(
      refusal(
        RangeError,
        'conv2d: the weight must have shape [3,3,4,6], its initializer gives [3]; return the shape that is asked for',
      ),
    )
    expect(() => conv2d(1, 2, 5).init(t.key(1), [4, 6, 1])).toThrow(
      refusal(
        RangeError,
        'conv2d: a window reaches over 5 rows, the padded input has 4; pad more, or use a smaller window or dilation',
      ),
    )
    const strides = { strides: 2 } as object
    expect(() => conv2d(1, 2, 3, strides)).toThrow(
      refusal(
        RangeError,
        "conv2d: unknown option 'strides'; use weight, bias, useBias, groups, stride, padding, dilation",
      ),
    )
  })
})

describe('the types of convolutions', () => {
  test('say what the parameters are', () => {
    const model = sequential(
      conv2d(1, 4, 3),
      conv2d(4, 4, 3, { useBias: false, padding: 'same' }),
      separableConv2d(4, 8, 3, { stride: 2 }),
    )
    type Params = ParamsOf<typeof model>['layers']
    expectTypeOf<Params[0]>().toEqualTypeOf<{ readonly weight: t.Tensor; readonly bias: t.Tensor }>()
    expectTypeOf<Params[1]>().toEqualTypeOf<{ readonly weight: t.Tensor }>()
    expectTypeOf<Params[2]>().toEqualTypeOf<SeparableParams>()
    const either = (useBias: boolean) => conv2d(1, 4, 3, { useBias })
    expectTypeOf<ParamsOf<ReturnType<typeof either>>>().toEqualTypeOf<
      ConvolutionParams | ConvolutionParams<false>
    >()
    expect(t.paths(model.init(t.key(1), [8, 8, 1]).params)).toHaveLength(6)
  })

  test('refuse neighbours whose channels differ, through layers that keep them', () => {
    const wrong = sequential(
      conv2d(1, 4, 3),
      relu(),
      maxPool2d(2),
      // @ts-expect-error takes 8 features, but the layer before gives 4
      conv2d(8, 8, 3),
    )
    expect(() => wrong.init(t.key(1), [8, 8, 1])).toThrow(
      'sequential: layer 3 (conv2d 8 -> 8) takes 8 features, layer 0 (conv2d 1 -> 4) gives 4',
    )
    // @ts-expect-error takes 2 features, but the layer before gives 3
    sequential(depthwiseConv2d(3, 3), convTranspose2d(2, 1, 3))
    // @ts-expect-error takes 2 features, but the layer before gives 1
    sequential(reshape([28, 28, 1]), conv2d(2, 8, 3))
    sequential(reshape([28, 28, -1]), conv2d(1, 8, 3), flatten(), linear(8 * 26 * 26, 10))
    sequential(depthwiseConv2d(3, 3, { multiplier: 2 }), conv2d(6, 8, 3))
  })
})
