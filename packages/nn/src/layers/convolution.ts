import * as t from '@tapeflow/autodiff'
import { drawParameter } from '../initializers/draw-parameter.ts'
import { glorotUniform } from '../initializers/glorot-uniform.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { zeros } from '../initializers/zeros.ts'
import type { Layer, LayerConfig } from '../layer.ts'
import { checkCounts, checkSamples } from './samples.ts'

/** Parameters of a convolution: weight, a filter channels last, and bias `[outChannels]` unless `useBias` is off. */
export type ConvolutionParams<Bias extends boolean = true> = Bias extends true
  ? { readonly weight: t.Tensor; readonly bias: t.Tensor }
  : { readonly weight: t.Tensor }

/** How a convolution starts. */
export interface ConvolutionStart<Bias extends boolean = boolean> {
  /** Draws the weight; `glorotUniform` by default. */
  readonly weight?: Initializer
  /** Draws the bias; `zeros` by default. */
  readonly bias?: Initializer
  /** Whether there is a bias; there is by default. */
  readonly useBias?: Bias
}

/** What tells one convolution from another. */
export interface Convolution {
  readonly operation: string
  /** What the axes before the channels are called. */
  readonly axes: readonly string[]
  readonly channels: readonly [taken: number, given: number]
  readonly groups: number
  /** The size of the filter in space. */
  readonly size: readonly number[]
  /** The filter's last two axes. */
  readonly last: readonly [number, number]
  /** What a file says of it beside its bias. */
  readonly config: LayerConfig
  readonly convolve: (x: t.Tensor, weight: t.Tensor) => t.Tensor
}

type Given = { readonly [Name in keyof ConvolutionStart]-?: ConvolutionStart[Name] | undefined }

/** The layer of a convolution: y = convolve(x, weight) + bias. */
export function convolution(
  { operation, axes, channels, groups, size, last, config, convolve }: Convolution,
  { weight = glorotUniform, bias = zeros, useBias = true }: Given,
): Layer<ConvolutionParams<boolean>, null> {
  const [taken, given] = channels
  const weightShape = [...size, ...last]
  const fans = fansOf(size, taken / groups, given / groups)
  const samples = { operation, axes, channels: taken }
  return {
    name: `${operation} ${taken} -> ${given}`,
    config: { ...config, useBias },
    inputSize: taken,
    init: (key, inputShape) => {
      checkSamples(samples, inputShape)
      const outputShape = t.evalShape(convolve, [1, ...inputShape], weightShape).slice(1)
      const drawn = drawParameter(operation, key, 'weight', weight, weightShape, fans)
      if (!useBias) return { params: { weight: drawn }, state: null, outputShape }
      const shift = drawParameter(operation, key, 'bias', bias, [given], fans)
      return { params: { weight: drawn, bias: shift }, state: null, outputShape }
    },
    apply: (params, state, x, ctx) => {
      checkSamples(samples, x.shape, ctx)
      const y = t.scope(() => {
        const sums = convolve(x, params.weight)
        return 'bias' in params ? t.add(sums, params.bias) : sums
      })
      return { y, state }
    },
  }
}

/** How many inputs one output sums over and how many outputs one input feeds, at a stride of 1. */
export function fansOf(size: readonly number[], taken: number, given: number): readonly [number, number] {
  const places = t.sizeOf(size)
  return [places * taken, places * given]
}

/** A filter's height and width, checked. */
export function filterSize(operation: string, size: t.PerAxis): readonly [height: number, width: number] {
  const [height, width] = typeof size === 'object' ? size : [size, size]
  checkCounts(operation, { 'the height of the filter': height, 'the width of the filter': width })
  return [height, width]
}

/** How many groups there are: they divide the channels on both sides. */
export function checkGroups(operation: string, taken: number, given: number, groups = 1): number {
  checkCounts(operation, { inChannels: taken, outChannels: given, groups })
  if (taken % groups === 0 && given % groups === 0) return groups
  return t.failRange(
    operation,
    `${groups} groups do not divide ${taken} and ${given} channels`,
    'use a divisor of both',
  )
}
