import { isShared, wasmMemory } from '../memory.ts'
import { convolutionMemoryFlagsAt, convolutionWasmBase64 } from './generated/convolution.ts'
import { instantiate } from './wasm.ts'

/** 0 for no, 1 for yes: a boolean as WebAssembly takes it. */
type Flag = 0 | 1

/**
 * The kernels of convolution and pooling, compiled from `assembly/conv/`: a module of their own, so that bundles without them
 * stay small. Pointers are byte offsets, sizes and strides count elements. The order of a sum depends on shapes alone.
 */
export interface ConvolutionKernels {
  /** Packs a filter for `convolve`, in panels of eight output channels. Steps are elements of the filter, negative ones too. */
  packFilter(
    filter: number,
    out: number,
    height: number,
    width: number,
    channels: number,
    outChannels: number,
    yStep: number,
    xStep: number,
    inStep: number,
    outStep: number,
  ): void
  /**
   * out[n, y, x, o] = the sum over i, j, c of x[n, top + y sH + i dH, left + x sW + j dW, c] filter[i, j, c, o], where x is 0
   * outside; depthwise, c is o. Reads `channels` of each pixel's `inChannels`, writes `outChannels` at strides of `out`'s own.
   */
  convolve(
    x: number,
    images: number,
    inH: number,
    inW: number,
    inChannels: number,
    channels: number,
    filter: number,
    out: number,
    outImage: number,
    outRow: number,
    outPixel: number,
    outChannels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    dH: number,
    dW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    depthwise: Flag,
    scratch: number,
  ): void
  /** Bytes of scratch that `convolve` needs, often 0: a strip of the input with its padding. */
  convolveScratch(
    inH: number,
    inW: number,
    channels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    dH: number,
    dW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    depthwise: Flag,
  ): number
  /** out[i, j, c, o] = the sum over n, y, x of x[n, top + y sH + i dH, left + x sW + j dW, c] g[n, y, x, o]. */
  filterGradient(
    x: number,
    images: number,
    inH: number,
    inW: number,
    inChannels: number,
    channels: number,
    g: number,
    gChannels: number,
    outChannels: number,
    out: number,
    outRow: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    dH: number,
    dW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    depthwise: Flag,
    scratch: number,
  ): void
  /** Bytes of scratch that `filterGradient` needs. */
  filterGradientScratch(
    images: number,
    inH: number,
    inW: number,
    channels: number,
    outChannels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    dH: number,
    dW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    depthwise: Flag,
  ): number
  /** The largest of each window; NaN where there is one. */
  maxPool(
    x: number,
    out: number,
    images: number,
    inH: number,
    inW: number,
    channels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
  ): void
  /** Adds g to the place of each window's first largest (spreads), or takes it from there. */
  maxPoolPlaces(
    x: number,
    g: number,
    out: number,
    images: number,
    inH: number,
    inW: number,
    channels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    spreads: Flag,
  ): void
  /** Means of the windows of x into y, over `whole` pixels or, for 0, those inside; or its adjoint from y into x (spreads). */
  averagePool(
    x: number,
    y: number,
    images: number,
    inH: number,
    inW: number,
    channels: number,
    top: number,
    left: number,
    kH: number,
    kW: number,
    sH: number,
    sW: number,
    outH: number,
    outW: number,
    whole: number,
    spreads: Flag,
  ): void
}

let cached: ConvolutionKernels | undefined

/** The kernels on the heap, compiled synchronously at first use. */
export function convolutionKernels(): ConvolutionKernels {
  // Untyped exports get their type here, as in wasm.ts.
  cached ??= instantiate(
    convolutionWasmBase64,
    convolutionMemoryFlagsAt,
    wasmMemory(),
    isShared(),
  ) as WebAssembly.Exports & ConvolutionKernels
  return cached
}
