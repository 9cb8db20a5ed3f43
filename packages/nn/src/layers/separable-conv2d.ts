import * as t from '@tapeflow/autodiff'
import { drawParameter } from '../initializers/draw-parameter.ts'
import { glorotUniform } from '../initializers/glorot-uniform.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { zeros } from '../initializers/zeros.ts'
import type { Layer } from '../layer.ts'
import { fansOf, filterSize } from './convolution.ts'
import { checkCounts, checkSamples } from './samples.ts'

/** Parameters of a separable convolution: filters of single channels, their mixture, and bias unless `useBias` is off. */
export type SeparableParams<Bias extends boolean = true> = Bias extends true
  ? { readonly depthwise: t.Tensor; readonly pointwise: t.Tensor; readonly bias: t.Tensor }
  : { readonly depthwise: t.Tensor; readonly pointwise: t.Tensor }

/** How filters slide over images, and how they start. */
export interface SeparableConv2dOptions<Bias extends boolean = boolean> extends t.WindowOptions {
  /** How many filters each channel has; 1 by default. */
  readonly multiplier?: number
  /** Draws the filters of single channels; `glorotUniform` by default. */
  readonly depthwise?: Initializer
  /** Draws the weights of the mixture; `glorotUniform` by default. */
  readonly pointwise?: Initializer
  /** Draws the bias; `zeros` by default. */
  readonly bias?: Initializer
  /** Whether there is a bias; there is by default. */
  readonly useBias?: Bias
}

/**
 * A layer that filters each channel of images by itself and mixes the results, pixel by pixel: `depthwiseConv2d` without a bias,
 * then y = z P + b. A convolution of rank 1 in channels and space: with m filters each, height x width x in x m + in x m x out
 * weights in the place of height x width x in x out.
 *
 * Parameters are drawn from the key's children of their names. The fans of D are height x width, and times m; those of P are
 * in x m and out.
 *
 * @param inChannels how many channels images have: the last axis of x
 * @param outChannels how many come out
 * @param size of a filter: a number or [height, width]
 * @param options.multiplier m, how many filters each channel has; 1 by default
 * @param options.stride how far apart windows are: a number or [height, width]; 1 by default
 * @param options.padding 'valid' (none, the default), 'same', or how many zeros: for all sides, [height, width], or
 * [[top, bottom], [left, right]]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.depthwise initializer of D `[height, width, 1, inChannels m]`, `glorotUniform` by default
 * @param options.pointwise initializer of P `[inChannels m, outChannels]`, `glorotUniform` by default
 * @param options.bias initializer of b `[outChannels]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[rows, height, width, inChannels]` -> `[rows, height', width', outChannels]`
 * @throws RangeError for counts below 1; in `init` and `apply` for other channels (names the layer's path and both sizes), and
 * where no window fits
 * @example
 * const layer = separableConv2d(2, 1, [1, 2], { depthwise: ones, pointwise: ones })
 * const { params, state } = layer.init(t.key(1), [1, 3, 2])
 * const x = t.tensor([[[[1, 10], [2, 20], [3, 30]]]])
 * layer.apply(params, state, x, { training: true, path: '' }).y.toArray() // => [[[[33], [55]]]]
 *
 * Chollet: Xception: deep learning with depthwise separable convolutions (CVPR 2017)
 */
export function separableConv2d<
  const In extends number,
  const Out extends number,
  const Bias extends boolean = true,
>(
  inChannels: In,
  outChannels: Out,
  size: t.PerAxis,
  options?: SeparableConv2dOptions<Bias>,
): Layer<SeparableParams<Bias>, null, In, Out>
export function separableConv2d(
  inChannels: number,
  outChannels: number,
  size: t.PerAxis,
  options: SeparableConv2dOptions = {},
): Layer<SeparableParams<boolean>, null> {
  t.knownOptions(
    'separableConv2d',
    options,
    'multiplier depthwise pointwise bias useBias stride padding dilation',
  )
  const operation = 'separableConv2d'
  const { depthwise = glorotUniform, pointwise = glorotUniform, bias = zeros, ...rest } = options
  const { useBias = true, multiplier = 1, ...windows } = rest
  checkCounts(operation, { inChannels, outChannels, multiplier })
  const taps = filterSize(operation, size)
  const between = inChannels * multiplier
  const samples = { operation, axes: ['height', 'width'], channels: inChannels }
  const filter = (x: t.Tensor, weight: t.Tensor): t.Tensor =>
    t.conv2d(x, weight, { ...windows, groups: inChannels })
  return {
    name: `${operation} ${inChannels} -> ${outChannels}`,
    config: { type: operation, inChannels, outChannels, size, multiplier, useBias, ...windows },
    inputSize: inChannels,
    init: (key, inputShape) => {
      checkSamples(samples, inputShape)
      const draw = (
        name: string,
        by: Initializer,
        shape: t.Shape,
        fans: readonly [number, number],
      ): t.Tensor => drawParameter(operation, key, name, by, shape, fans)
      const filterShape = [...taps, 1, between]
      const [, height, width] = t.evalShape(filter, [1, ...inputShape], filterShape)
      const mixtureFans = fansOf([], between, outChannels)
      const params = {
        depthwise: draw('depthwise', depthwise, filterShape, fansOf(taps, 1, multiplier)),
        pointwise: draw('pointwise', pointwise, [between, outChannels], mixtureFans),
        ...(useBias && { bias: draw('bias', bias, [outChannels], mixtureFans) }),
      }
      return { params, state: null, outputShape: [height!, width!, outChannels] }
    },
    apply: (params, state, x, ctx) => {
      checkSamples(samples, x.shape, ctx)
      const shift = 'bias' in params ? params.bias : undefined
      return { y: t.scope(() => t.linear(filter(x, params.depthwise), params.pointwise, shift)), state }
    },
  }
}
