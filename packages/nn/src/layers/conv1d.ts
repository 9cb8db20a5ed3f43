import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'
import { type ConvolutionParams, type ConvolutionStart, checkGroups, convolution } from './convolution.ts'
import { checkCounts } from './samples.ts'

/** How filters slide over sequences, and how they start. */
export interface Conv1dOptions<Bias extends boolean = boolean>
  extends ConvolutionStart<Bias>,
    t.Conv1dOptions {}

/**
 * A layer that slides filters over sequences: y[n, i, o] = b[o] + sum over r, c of x[n, stride i + dilation r - padding, c]
 * W[r, c, o].
 *
 * The weight is drawn from the key's child `weight`, the bias from its child `bias`; the fans are length x channels of a group,
 * in and out. With a padding of [dilation (length - 1), 0] no output sees what comes later: Keras calls that 'causal'.
 *
 * @param inChannels how many channels sequences have: the last axis of x
 * @param outChannels how many filters there are
 * @param size the length of a filter
 * @param options.stride how far apart windows are; 1 by default
 * @param options.padding 'valid' (none, the default), 'same' (as many windows as places, where the stride is 1), or how many
 * zeros: on both sides, or [before, after]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.groups into how many groups channels are split, each with filters of its own; 1 by default
 * @param options.weight initializer of W `[length, inChannels / groups, outChannels]`, `glorotUniform` by default
 * @param options.bias initializer of b `[outChannels]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[rows, length, inChannels]` -> `[rows, length', outChannels]`
 * @throws RangeError for counts below 1 and groups that do not divide the channels; in `init` and `apply` for other channels
 * (names the layer's path and both sizes), and where no window fits
 * @example
 * const layer = conv1d(1, 1, 2, { padding: [1, 0], weight: ones })
 * const { params, state } = layer.init(t.key(1), [4, 1])
 * const x = t.tensor([[[1], [2], [4], [8]]])
 * layer.apply(params, state, x, { training: true, path: '' }).y.toArray() // => [[[1], [3], [6], [12]]]
 *
 * Waibel, Hanazawa, Hinton, Shikano, Lang: Phoneme recognition using time-delay neural networks (1989)
 */
export function conv1d<const In extends number, const Out extends number, const Bias extends boolean = true>(
  inChannels: In,
  outChannels: Out,
  size: number,
  options?: Conv1dOptions<Bias>,
): Layer<ConvolutionParams<Bias>, null, In, Out>
export function conv1d(
  inChannels: number,
  outChannels: number,
  size: number,
  options: Conv1dOptions = {},
): Layer<ConvolutionParams<boolean>, null> {
  const { weight, bias, useBias, ...windows } = t.knownOptions(
    'conv1d',
    options,
    'weight bias useBias stride padding dilation groups',
  )
  const groups = checkGroups('conv1d', inChannels, outChannels, windows.groups)
  checkCounts('conv1d', { 'the length of the filter': size })
  return convolution(
    {
      operation: 'conv1d',
      axes: ['length'],
      channels: [inChannels, outChannels],
      groups,
      size: [size],
      last: [inChannels / groups, outChannels],
      config: { type: 'conv1d', inChannels, outChannels, size, ...windows },
      convolve: (x, filter) => t.conv1d(x, filter, windows),
    },
    { weight, bias, useBias },
  )
}
