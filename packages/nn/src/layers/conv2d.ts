import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'
import {
  type ConvolutionParams,
  type ConvolutionStart,
  checkGroups,
  convolution,
  filterSize,
} from './convolution.ts'

/** How filters slide over images, and how they start. */
export interface Conv2dOptions<Bias extends boolean = boolean>
  extends ConvolutionStart<Bias>,
    t.ConvolutionOptions {}

/**
 * A layer that slides filters over images: y[n, i, j, o] = b[o] + sum over r, s, c of x[n, stride i + dilation r - padding,
 * stride j + dilation s - padding, c] W[r, s, c, o].
 *
 * The weight is drawn from the key's child `weight`, the bias from its child `bias`; the fans are height x width x channels of
 * a group, in and out.
 *
 * @param inChannels how many channels images have: the last axis of x
 * @param outChannels how many filters there are
 * @param size of a filter: a number or [height, width]
 * @param options.stride how far apart windows are: a number or [height, width]; 1 by default
 * @param options.padding 'valid' (none, the default), 'same' (as many windows as pixels, where the stride is 1), or how many
 * zeros: for all sides, [height, width], or [[top, bottom], [left, right]]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.groups into how many groups channels are split, each with filters of its own; 1 by default
 * @param options.weight initializer of W `[height, width, inChannels / groups, outChannels]`, `glorotUniform` by default
 * @param options.bias initializer of b `[outChannels]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[rows, height, width, inChannels]` -> `[rows, height', width', outChannels]`
 * @throws RangeError for counts below 1 and groups that do not divide the channels; in `init` and `apply` for other channels
 * (names the layer's path and both sizes), and where no window fits
 * @example
 * const layer = conv2d(1, 8, 3, { padding: 'same', stride: 2, weight: ones })
 * const { params, state, outputShape } = layer.init(t.key(1), [4, 4, 1])
 * outputShape // => [2, 2, 8]
 * params.weight.shape // => [3, 3, 1, 8]
 * const { y } = layer.apply(params, state, t.ones([1, 4, 4, 1]), { training: true, path: '' })
 * t.slice(y, [0, 0, 0, 0], [1, 2, 2, 1]).toArray() // => [[[[9], [6]], [[6], [4]]]]
 *
 * LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition (1998)
 */
export function conv2d<const In extends number, const Out extends number, const Bias extends boolean = true>(
  inChannels: In,
  outChannels: Out,
  size: t.PerAxis,
  options?: Conv2dOptions<Bias>,
): Layer<ConvolutionParams<Bias>, null, In, Out>
export function conv2d(
  inChannels: number,
  outChannels: number,
  size: t.PerAxis,
  options: Conv2dOptions = {},
): Layer<ConvolutionParams<boolean>, null> {
  const { weight, bias, useBias, ...windows } = t.knownOptions(
    'conv2d',
    options,
    'weight bias useBias groups stride padding dilation',
  )
  const groups = checkGroups('conv2d', inChannels, outChannels, windows.groups)
  return convolution(
    {
      operation: 'conv2d',
      axes: ['height', 'width'],
      channels: [inChannels, outChannels],
      groups,
      size: filterSize('conv2d', size),
      last: [inChannels / groups, outChannels],
      config: { type: 'conv2d', inChannels, outChannels, size, ...windows },
      convolve: (x, filter) => t.conv2d(x, filter, windows),
    },
    { weight, bias, useBias },
  )
}
