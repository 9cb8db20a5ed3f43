import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'
import {
  type ConvolutionParams,
  type ConvolutionStart,
  checkGroups,
  convolution,
  filterSize,
} from './convolution.ts'

/** How filters are spread over images, and how they start. */
export interface ConvTranspose2dOptions<Bias extends boolean = boolean>
  extends ConvolutionStart<Bias>,
    t.ConvTranspose2dOptions {}

/**
 * A layer that makes images larger: each pixel times the filters, added up `stride` apart, plus b. It goes back from the shape
 * that `conv2d` with the same options gives to the shape that it is given, and computes its adjoint. Also named deconvolution.
 *
 * A size becomes (size - 1) stride - padding + dilation (filter size - 1) + 1 + outputPadding; with 'same', size times stride.
 *
 * The weight is drawn from the key's child `weight`, the bias from its child `bias`. The fans are height x width x channels of a
 * group, in and out, at a stride of 1; Keras and PyTorch exchange the two.
 *
 * @param inChannels how many channels images have: the last axis of x
 * @param outChannels how many come out
 * @param size of a filter: a number or [height, width]
 * @param options.stride how far apart filters are laid: a number or [height, width]; 1 by default
 * @param options.padding how much is cut off: 'valid' (nothing, the default), 'same', or numbers as in `conv2d`
 * @param options.outputPadding rows and columns more at the end, below the stride; 0 by default, and not with 'same'
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.groups into how many groups channels are split; 1 by default
 * @param options.weight initializer of W `[height, width, outChannels / groups, inChannels]`, `glorotUniform` by default
 * @param options.bias initializer of b `[outChannels]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[rows, height, width, inChannels]` -> `[rows, height', width', outChannels]`
 * @throws RangeError for counts below 1 and groups that do not divide the channels; in `init` and `apply` for other channels
 * (names the layer's path and both sizes), and where nothing would be left
 * @example
 * const layer = convTranspose2d(1, 1, 2, { stride: 2, weight: ones })
 * const { params, state } = layer.init(t.key(1), [1, 2, 1])
 * const { y } = layer.apply(params, state, t.tensor([[[[1], [5]]]]), { training: true, path: '' })
 * t.reshape(y, [2, 4]).toArray() // => [[1, 1, 5, 5], [1, 1, 5, 5]]
 *
 * Zeiler, Krishnan, Taylor, Fergus: Deconvolutional networks (CVPR 2010)
 */
export function convTranspose2d<
  const In extends number,
  const Out extends number,
  const Bias extends boolean = true,
>(
  inChannels: In,
  outChannels: Out,
  size: t.PerAxis,
  options?: ConvTranspose2dOptions<Bias>,
): Layer<ConvolutionParams<Bias>, null, In, Out>
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  size: t.PerAxis,
  options: ConvTranspose2dOptions = {},
): Layer<ConvolutionParams<boolean>, null> {
  const { weight, bias, useBias, ...windows } = t.knownOptions(
    'convTranspose2d',
    options,
    'weight bias useBias outputPadding groups stride padding dilation',
  )
  const groups = checkGroups('convTranspose2d', inChannels, outChannels, windows.groups)
  return convolution(
    {
      operation: 'convTranspose2d',
      axes: ['height', 'width'],
      channels: [inChannels, outChannels],
      groups,
      size: filterSize('convTranspose2d', size),
      last: [outChannels / groups, inChannels],
      config: { type: 'convTranspose2d', inChannels, outChannels, size, ...windows },
      convolve: (x, filter) => t.convTranspose2d(x, filter, windows),
    },
    { weight, bias, useBias },
  )
}
