import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'
import { type ConvolutionParams, type ConvolutionStart, convolution, filterSize } from './convolution.ts'
import { checkCounts } from './samples.ts'

/** How filters of single channels slide over images, and how they start. */
export interface DepthwiseConv2dOptions<Bias extends boolean = boolean, Multiplier extends number = number>
  extends ConvolutionStart<Bias>,
    t.WindowOptions {
  /** How many filters each channel has; 1 by default. */
  readonly multiplier?: Multiplier
}

/**
 * A layer that slides filters over each channel of images by itself: y[n, i, j, m c + k] = b[m c + k] + sum over r, s of
 * x[n, stride i + dilation r - padding, stride j + dilation s - padding, c] W[r, s, 0, m c + k], k < m, the multiplier. It is
 * `conv2d` with as many groups as channels.
 *
 * The weight is drawn from the key's child `weight`, the bias from its child `bias`. The fans are height x width, and times m:
 * what one output sums over, and one input feeds; Keras takes the first times the channels. Its kernel
 * [height, width, channels, m] holds the same numbers in the same order.
 *
 * @param channels how many channels images have: the last axis of x
 * @param size of a filter: a number or [height, width]
 * @param options.multiplier how many filters each channel has; 1 by default
 * @param options.stride how far apart windows are: a number or [height, width]; 1 by default
 * @param options.padding 'valid' (none, the default), 'same', or how many zeros: for all sides, [height, width], or
 * [[top, bottom], [left, right]]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.weight initializer of W `[height, width, 1, channels m]`, `glorotUniform` by default
 * @param options.bias initializer of b `[channels m]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[rows, height, width, channels]` -> `[rows, height', width', channels m]`
 * @throws RangeError for counts below 1; in `init` and `apply` for other channels (names the layer's path and both sizes), and
 * where no window fits
 * @example
 * const layer = depthwiseConv2d(2, [1, 2], { weight: ones })
 * const { params, state } = layer.init(t.key(1), [1, 3, 2])
 * const x = t.tensor([[[[1, 10], [2, 20], [3, 30]]]])
 * layer.apply(params, state, x, { training: true, path: '' }).y.toArray() // => [[[[3, 30], [5, 50]]]]
 */
export function depthwiseConv2d<
  const Channels extends number,
  const Bias extends boolean = true,
  const Multiplier extends number = 1,
>(
  channels: Channels,
  size: t.PerAxis,
  options?: DepthwiseConv2dOptions<Bias, Multiplier>,
): Layer<ConvolutionParams<Bias>, null, Channels, Multiplier extends 1 ? Channels : number>
export function depthwiseConv2d(
  channels: number,
  size: t.PerAxis,
  options: DepthwiseConv2dOptions = {},
): Layer<ConvolutionParams<boolean>, null> {
  const {
    weight,
    bias,
    useBias,
    multiplier = 1,
    ...windows
  } = t.knownOptions('depthwiseConv2d', options, 'multiplier weight bias useBias stride padding dilation')
  checkCounts('depthwiseConv2d', { channels, multiplier })
  const outChannels = channels * multiplier
  return convolution(
    {
      operation: 'depthwiseConv2d',
      axes: ['height', 'width'],
      channels: [channels, outChannels],
      groups: channels,
      size: filterSize('depthwiseConv2d', size),
      last: [1, outChannels],
      config: { type: 'depthwiseConv2d', channels, size, multiplier, ...windows },
      convolve: (x, filter) => t.conv2d(x, filter, { ...windows, groups: channels }),
    },
    { weight, bias, useBias },
  )
}
