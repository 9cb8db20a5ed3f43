import type { ConvolutionOptions } from './convolution.ts'
import { zeros } from './creation.ts'
import type { Draw, ErrorInput } from './operation.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'
import { countWindows, reach, resolveWindows } from './windows.ts'

/** Shapes that go with each other, and the options. */
export interface ConvolutionSample {
  readonly input: Shape
  readonly filter: Shape
  readonly output: Shape
  readonly options: ConvolutionOptions
}

const paddings = [
  'valid',
  'same',
  1,
  [
    [0, 2],
    [1, 0],
  ],
] as const

/** Draws a small convolution: strides, dilations, paddings, groups; channels that end inside, at and behind lanes. */
export function convolutionSample(draw: Draw): ConvolutionSample {
  const channels = draw.shape(1, 2)
  const kind = draw.pick(['one', 'depthwise', 'two', 'multiplier'])
  const many = channels[channels.length - 1]!
  const few = channels.length === 2 ? channels[0]! : 2
  const groups = kind === 'one' ? 1 : kind === 'two' ? 2 : Math.max(1, kind === 'depthwise' ? many : 3)
  const each = kind === 'one' ? few : kind === 'two' ? Math.min(few, 5) : 1
  const outChannels =
    kind === 'one' ? many : groups * (kind === 'two' ? Math.ceil(many / 2) : kind === 'depthwise' ? 1 : 2)
  const taps = [draw.integer(1, 3), draw.integer(1, 3)] as const
  const dilation = [draw.integer(1, 2), draw.integer(1, 3)] as const
  const stride = [draw.integer(1, 3), draw.integer(1, 2)] as const
  const padding = draw.pick(paddings)
  const size = [
    reach(taps[0], dilation[0]) + draw.integer(0, 3),
    reach(taps[1], dilation[1]) + draw.integer(0, 4),
  ] as const
  const images = draw.pick([1, 2, 3, 0])
  const options = { stride, padding, dilation, groups }
  const windows = resolveWindows('conv2d', size, taps, options)
  return {
    input: [images, ...size, each * groups],
    filter: [...taps, each, outChannels],
    output: [images, ...countWindows('conv2d', size, taps, windows), outChannels],
    options,
  }
}

/** The calls that a convolution must refuse. */
export function convolutionErrors(
  conv2d: (x: Tensor, filter: Tensor, options?: ConvolutionOptions) => Tensor,
): ErrorInput[] {
  return [
    {
      call: () => conv2d(zeros([5, 5, 1]), zeros([3, 3, 1, 1])),
      kind: 'RangeError',
      message:
        'conv2d: images must be [batch, height, width, channels], got shape [5,5,1]; reshape to four axes, channels last',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1])),
      kind: 'RangeError',
      message:
        'conv2d: a filter must be [height, width, inChannels / groups, outChannels], not empty in space, got shape [3,3,1]',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 3]), zeros([3, 3, 2, 4])),
      kind: 'RangeError',
      message:
        "conv2d: channels differ, got images [1,5,5,3] and a filter [3,3,2,4]; the filter's third size must be channels / groups",
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 3]), zeros([3, 3, 2, 4]), { groups: 2 }),
      kind: 'RangeError',
      message:
        "conv2d: channels differ, got images [1,5,5,3] and a filter [3,3,2,4] of 2 groups; the filter's third size must be channels / groups",
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 3]), zeros([3, 3, 1, 4]), { groups: 3 }),
      kind: 'RangeError',
      message:
        "conv2d: 3 groups do not divide the filter's 4 output channels; use a divisor, or another filter",
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { groups: 0 }),
      kind: 'RangeError',
      message: 'conv2d: groups must be an integer from 1 on, got 0',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { stride: 0 }),
      kind: 'RangeError',
      message: 'conv2d: stride must be an integer from 1 on, or a pair of them, got 0',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { stride: null as never }),
      kind: 'TypeError',
      message: 'conv2d: stride must be an integer or a pair of them, got null',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { dilation: [1, 0.5] }),
      kind: 'RangeError',
      message: 'conv2d: dilation must be an integer from 1 on, or a pair of them, got [1,0.5]',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { padding: -1 }),
      kind: 'RangeError',
      message: 'conv2d: padding must be an integer from 0 on, or a pair of them, got -1',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { padding: [[0, 1], 2n as never] }),
      kind: 'TypeError',
      message: 'conv2d: padding must be an integer or a pair of them, got a bigint',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { padding: 'full' as 'same' }),
      kind: 'RangeError',
      message: "conv2d: padding must be 'valid', 'same' or numbers, got 'full'",
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { padding: [1] as never }),
      kind: 'TypeError',
      message:
        "conv2d: padding must be 'valid', 'same', a number or a pair, got an array of 1; write [[top, bottom], [left, right]]",
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { dilation: 3 }),
      kind: 'RangeError',
      message:
        'conv2d: a window reaches over 7 rows, the padded input has 5; pad more, or use a smaller window or dilation',
    },
    {
      call: () => conv2d(zeros([1, 5, 5, 1]), zeros([3, 3, 1, 1]), { pad: 1 } as ConvolutionOptions),
      kind: 'RangeError',
      message: "conv2d: unknown option 'pad'; use stride, padding, dilation, groups",
    },
  ]
}
