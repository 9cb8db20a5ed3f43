import type { Convolution } from './convolution.ts'
import { type ConvolutionKernels, convolutionKernels } from './kernels/convolution.ts'
import { heapFloats } from './memory.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/*
 * The gradient of a convolution's input is a convolution of the cotangent with the filter turned around, input and output
 * channels swapped. With a stride s the rows y = r, r + s, r + 2 s … see taps of their own, every s / gcd(s, dilation)-th of the
 * filter, and so do columns: each of these phases is a convolution of stride 1, and no zero is multiplied for the stride's sake.
 */

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** The first tap that reaches rows of phase `r`, from a row of the output; -1 where none does. */
function firstTap(r: number, before: number, taps: number, stride: number, dilation: number): number {
  const period = stride / gcd(stride, dilation)
  for (let tap = 0; tap < Math.min(period, taps); tap++) {
    if ((r + before - tap * dilation) % stride === 0) return tap
  }
  return -1
}

function isEveryRowMet(taps: number, stride: number, dilation: number): boolean {
  return taps >= stride && gcd(stride, dilation) === 1
}

/** Working memory of `inputGradient`: the part of the packed filter that a phase takes, and a strip of the cotangent. */
export function inputGradientBytes(g: Shape, filter: Shape, input: Shape, a: Convolution): number {
  return phases(g, filter, input, a, 0, 0, 0, 0)
}

/** Fills `output` with the gradient of the input that `filter` turned into what has cotangent `g`. */
export function inputGradient(
  output: Tensor,
  g: Tensor,
  filter: Tensor,
  a: Convolution,
  scratch: number,
  by: Pick<ConvolutionKernels, 'convolve'> = convolutionKernels(),
): void {
  const isCovered =
    isEveryRowMet(filter.shape[0]!, a.strideH, a.dilationH) &&
    isEveryRowMet(filter.shape[1]!, a.strideW, a.dilationW)
  if (!isCovered || filter.size === 0)
    heapFloats().fill(0, output.offset / 4, output.offset / 4 + output.size)
  if (filter.size === 0) return
  phases(g.shape, filter.shape, output.shape, a, g.offset, filter.offset, output.offset, scratch, by)
}

/** Runs all phases, where there is an `output`; returns the bytes of scratch that the most demanding one needs. */
function phases(
  g: Shape,
  filter: Shape,
  input: Shape,
  a: Convolution,
  gAt: number,
  filterAt: number,
  output: number,
  scratch: number,
  by: Pick<ConvolutionKernels, 'convolve'> = convolutionKernels(),
): number {
  const [images, inH, inW, channels] = input as [number, number, number, number]
  const [kH, kW, each, outChannels] = filter as [number, number, number, number]
  const { strideH, strideW, dilationH, dilationW, groups } = a
  const depthwise = groups > 1 && each === 1 && outChannels === groups
  const loops = depthwise ? 1 : groups
  const summed = depthwise ? 1 : outChannels / groups
  const made = depthwise ? channels : each
  const tapStepH = strideH / gcd(strideH, dilationH)
  const tapStepW = strideW / gcd(strideW, dilationW)
  const stepH = (dilationH * tapStepH) / strideH
  const stepW = (dilationW * tapStepW) / strideW
  const kernels = convolutionKernels()
  let most = 0
  for (let r = 0; r < Math.min(strideH, inH); r++) {
    const tapH = firstTap(r, a.top, kH, strideH, dilationH)
    if (tapH < 0) continue
    const tapsH = Math.ceil((kH - tapH) / tapStepH)
    const top = (r + a.top - tapH * dilationH) / strideH - (tapsH - 1) * stepH
    const rows = Math.ceil((inH - r) / strideH)
    for (let c = 0; c < Math.min(strideW, inW); c++) {
      const tapW = firstTap(c, a.left, kW, strideW, dilationW)
      if (tapW < 0) continue
      const tapsW = Math.ceil((kW - tapW) / tapStepW)
      const left = (c + a.left - tapW * dilationW) / strideW - (tapsW - 1) * stepW
      const columns = Math.ceil((inW - c) / strideW)
      const packed = Math.ceil(made / 8) * tapsH * tapsW * summed * 32
      if (output === 0) {
        const block = kernels.convolveScratch(
          g[1]!,
          g[2]!,
          depthwise ? outChannels : summed,
          top,
          left,
          tapsH,
          tapsW,
          stepH,
          stepW,
          1,
          1,
          rows,
          columns,
          depthwise ? 1 : 0,
        )
        most = Math.max(most, packed + block)
        continue
      }
      const lastTap = (tapH + (tapsH - 1) * tapStepH) * kW + tapW + (tapsW - 1) * tapStepW
      for (let group = 0; group < loops; group++) {
        kernels.packFilter(
          filterAt + 4 * (lastTap * each * outChannels + group * summed),
          scratch,
          tapsH,
          tapsW,
          summed,
          made,
          -tapStepH * kW * each * outChannels,
          -tapStepW * each * outChannels,
          1,
          depthwise ? 1 : outChannels,
        )
        by.convolve(
          gAt + 4 * group * summed,
          images,
          g[1]!,
          g[2]!,
          outChannels,
          depthwise ? outChannels : summed,
          scratch,
          output + 4 * ((r * inW + c) * channels + group * made),
          inH * inW * channels,
          strideH * inW * channels,
          strideW * channels,
          made,
          top,
          left,
          tapsH,
          tapsW,
          stepH,
          stepW,
          1,
          1,
          rows,
          columns,
          depthwise ? 1 : 0,
          scratch + packed,
        )
      }
    }
  }
  return most
}
