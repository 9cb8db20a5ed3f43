import { failRange, failType, kindOf } from './fail.ts'
import { type ConvolutionKernels, convolutionKernels } from './kernels/convolution.ts'
import { heapFloats } from './memory.ts'
import type { Shaped } from './operation.ts'
import { type Shape, showShape } from './shape.ts'
import type { Tensor } from './tensor.ts'
import { checkImages, countWindows, type WindowOptions, type Windows } from './windows.ts'

/** How a filter slides over images. */
export interface ConvolutionOptions extends WindowOptions {
  /** Into how many groups channels are split, each with filters of its own; 1 by default. */
  readonly groups?: number
}

/** The same in numbers. */
export interface Convolution extends Windows {
  readonly groups: number
}

/** What `checkOptions` lets pass. */
export const convolutionOptions = ['stride', 'padding', 'dilation', 'groups'] as const

/** Checks a filter's shape, and how many groups there are. */
export function checkFilter(operation: string, filter: Shape, groups: unknown = 1): number {
  if (filter.length !== 4 || filter[0] === 0 || filter[1] === 0) {
    failRange(
      operation,
      `a filter must be [height, width, inChannels / groups, outChannels], not empty in space, got shape ${showShape(filter)}`,
    )
  }
  if (typeof groups !== 'number') failType(operation, `groups must be an integer, got ${kindOf(groups)}`)
  if (!Number.isInteger(groups) || groups < 1)
    failRange(operation, `groups must be an integer from 1 on, got ${groups}`)
  if (filter[3]! % groups !== 0) {
    failRange(
      operation,
      `${groups} groups do not divide the filter's ${filter[3]} output channels`,
      'use a divisor, or another filter',
    )
  }
  return groups
}

/** The shape of a convolution, from those of images and filter. */
export function convolvedShape(operation: string, x: Shape, filter: Shape, a: Convolution): Shape {
  checkImages(operation, 'images', x)
  checkFilter(operation, filter, a.groups)
  if (x[3] !== filter[2]! * a.groups) {
    const groups = a.groups === 1 ? '' : ` of ${a.groups} groups`
    failRange(
      operation,
      `channels differ, got images ${showShape(x)} and a filter ${showShape(filter)}${groups}`,
      "the filter's third size must be channels / groups",
    )
  }
  const [height, width] = countWindows(operation, [x[1]!, x[2]!], [filter[0]!, filter[1]!], a)
  return [x[0]!, height, width, filter[3]!]
}

// A filter for each channel: lanes run over channels then.
function isDepthwise(filter: Shape, groups: number): boolean {
  return groups > 1 && filter[2] === 1 && filter[3] === groups
}

function packedBytes(filter: Shape, channels: number, outChannels: number): number {
  return Math.ceil(outChannels / 8) * filter[0]! * filter[1]! * channels * 32
}

/**
 * Working memory of `convolve`: the packed filter of a group and, where there is padding, what a strip of the output reads: as
 * many rows as give 256 pixels, of at most 512 columns. No patches are laid out.
 */
export function convolveBytes([x, filter]: readonly Shaped[], a: Convolution): number {
  const [kH, kW, each, channels] = filter!.shape as [number, number, number, number]
  const [, inH, inW, inChannels] = x!.shape as [number, number, number, number]
  const depthwise = isDepthwise(filter!.shape, a.groups)
  const [outH, outW] = countWindows('conv2d', [inH, inW], [kH, kW], a)
  return (
    packedBytes(filter!.shape, each, depthwise ? channels : channels / a.groups) +
    convolutionKernels().convolveScratch(
      inH,
      inW,
      depthwise ? inChannels : each,
      -a.top,
      -a.left,
      kH,
      kW,
      a.dilationH,
      a.dilationW,
      a.strideH,
      a.strideW,
      outH,
      outW,
      depthwise ? 1 : 0,
    )
  )
}

/** Fills `output` with the convolution of `x` with `filter`, by the strict kernel or another one. */
export function convolve(
  output: Tensor,
  x: Tensor,
  filter: Tensor,
  a: Convolution,
  scratch: number,
  by: Pick<ConvolutionKernels, 'convolve'> = convolutionKernels(),
): void {
  const [kH, kW, each, channels] = filter.shape as [number, number, number, number]
  const depthwise = isDepthwise(filter.shape, a.groups)
  const outChannels = depthwise ? channels : channels / a.groups
  const inChannels = x.shape[3]!
  const outH = output.shape[1]!
  const outW = output.shape[2]!
  if (each === 0) {
    heapFloats().fill(0, output.offset / 4, output.offset / 4 + output.size)
    return
  }
  const kernels = convolutionKernels()
  for (let group = 0; group < (depthwise ? 1 : a.groups); group++) {
    const first = 4 * group * outChannels
    const yStep = kW * each * channels
    kernels.packFilter(
      filter.offset + first,
      scratch,
      kH,
      kW,
      each,
      outChannels,
      yStep,
      each * channels,
      channels,
      1,
    )
    by.convolve(
      x.offset + 4 * group * each,
      x.shape[0]!,
      x.shape[1]!,
      x.shape[2]!,
      inChannels,
      depthwise ? inChannels : each,
      scratch,
      output.offset + first,
      outH * outW * channels,
      outW * channels,
      channels,
      outChannels,
      -a.top,
      -a.left,
      kH,
      kW,
      a.dilationH,
      a.dilationW,
      a.strideH,
      a.strideW,
      outH,
      outW,
      depthwise ? 1 : 0,
      scratch + packedBytes(filter.shape, each, outChannels),
    )
  }
}

/** Working memory of `filterGradient`: a group's filter in float64, and strips of 256 pixels of both inputs. */
export function filterGradientBytes([x, g]: readonly Shaped[], filter: Shape, a: Convolution): number {
  const depthwise = isDepthwise(filter, a.groups)
  const bytes = convolutionKernels().filterGradientScratch(
    x!.shape[0]!,
    x!.shape[1]!,
    x!.shape[2]!,
    depthwise ? x!.shape[3]! : filter[2]!,
    depthwise ? filter[3]! : filter[3]! / a.groups,
    -a.top,
    -a.left,
    filter[0]!,
    filter[1]!,
    a.dilationH,
    a.dilationW,
    a.strideH,
    a.strideW,
    g!.shape[1]!,
    g!.shape[2]!,
    depthwise ? 1 : 0,
  )
  // A pointer comes out of WebAssembly signed.
  return bytes >>> 0
}

/** Fills `output`, a filter's shape, with the gradient of the filter that turned `x` into what has cotangent `g`. */
export function filterGradient(
  output: Tensor,
  x: Tensor,
  g: Tensor,
  a: Convolution,
  scratch: number,
  by: Pick<ConvolutionKernels, 'filterGradient'> = convolutionKernels(),
): void {
  const [kH, kW, each, channels] = output.shape as [number, number, number, number]
  const depthwise = isDepthwise(output.shape, a.groups)
  const outChannels = depthwise ? channels : channels / a.groups
  for (let group = 0; group < (depthwise ? 1 : a.groups); group++) {
    const first = 4 * group * outChannels
    by.filterGradient(
      x.offset + 4 * group * each,
      x.shape[0]!,
      x.shape[1]!,
      x.shape[2]!,
      x.shape[3]!,
      depthwise ? x.shape[3]! : each,
      g.offset + first,
      channels,
      outChannels,
      output.offset + first,
      channels,
      -a.top,
      -a.left,
      kH,
      kW,
      a.dilationH,
      a.dilationW,
      a.strideH,
      a.strideW,
      g.shape[1]!,
      g.shape[2]!,
      depthwise ? 1 : 0,
      scratch,
    )
  }
}
