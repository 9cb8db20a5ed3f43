import type { Convolution } from './convolution.ts'
import type { Values } from './operation.ts'
import { type Shape, sizeOf } from './shape.ts'

/*
 * The three operations of a convolution as plain loops in float64. The padding is there, as zeros: times an infinite weight
 * it gives NaN, as in IEEE arithmetic.
 */

/** Where an output, a tap and an input meet along an axis; -1 where the input, or the output, lies outside. */
type Meeting = readonly [output: number, tap: number, input: number]

const inside = (at: number, size: number): number => (at >= 0 && at < size ? at : -1)

/** In the order of outputs. */
function fromOutputs(
  outputs: number,
  taps: number,
  inputs: number,
  stride: number,
  dilation: number,
  before: number,
): Meeting[] {
  const meetings: Meeting[] = []
  for (let y = 0; y < outputs; y++) {
    for (let k = 0; k < taps; k++) meetings.push([y, k, inside(y * stride + k * dilation - before, inputs)])
  }
  return meetings
}

/** In the order of inputs: those outputs that a tap reaches from there, of a convolution that has no end. */
function fromInputs(
  outputs: number,
  taps: number,
  inputs: number,
  stride: number,
  dilation: number,
  before: number,
): Meeting[] {
  const meetings: Meeting[] = []
  for (let x = 0; x < inputs; x++) {
    for (let k = 0; k < taps; k++) {
      const at = x + before - k * dilation
      if (at % stride === 0) meetings.push([inside(at / stride, outputs), k, x])
    }
  }
  return meetings
}

/** Visits every product: places in the input, the filter and the output. */
function forEachProduct(
  along: typeof fromOutputs,
  input: Shape,
  filter: Shape,
  output: Shape,
  a: Convolution,
  visit: (input: number, filter: number, output: number) => void,
): void {
  const [images, inH, inW, inChannels] = input as [number, number, number, number]
  const [kH, kW, each, outChannels] = filter as [number, number, number, number]
  const [, outH, outW] = output as [number, number, number, number]
  const rows = along(outH, kH, inH, a.strideH, a.dilationH, a.top)
  const columns = along(outW, kW, inW, a.strideW, a.dilationW, a.left)
  const perGroup = outChannels / a.groups
  for (let n = 0; n < images; n++) {
    for (const [y, i, x] of rows) {
      for (const [v, j, u] of columns) {
        for (let o = 0; o < outChannels; o++) {
          const first = Math.floor(o / perGroup) * each
          for (let c = 0; c < each; c++) {
            visit(
              x < 0 || u < 0 ? -1 : ((n * inH + x) * inW + u) * inChannels + first + c,
              ((i * kW + j) * each + c) * outChannels + o,
              y < 0 || v < 0 ? -1 : ((n * outH + y) * outW + v) * outChannels + o,
            )
          }
        }
      }
    }
  }
}

const at = (x: Values, place: number): number => (place < 0 ? 0 : x.values[place]!)

/** What `conv2d` is. */
export function convolveReference(x: Values, filter: Values, a: Convolution, shape: Shape): Float64Array {
  const result = new Float64Array(sizeOf(shape))
  forEachProduct(fromOutputs, x.shape, filter.shape, shape, a, (i, f, o) => {
    result[o]! += at(x, i) * filter.values[f]!
  })
  return result
}

/** What `conv2dInputGradient` is. */
export function inputGradientReference(
  g: Values,
  filter: Values,
  a: Convolution,
  shape: Shape,
): Float64Array {
  const result = new Float64Array(sizeOf(shape))
  forEachProduct(fromInputs, shape, filter.shape, g.shape, a, (i, f, o) => {
    result[i]! += at(g, o) * filter.values[f]!
  })
  return result
}

/** What `conv2dFilterGradient` is. */
export function filterGradientReference(x: Values, g: Values, a: Convolution, shape: Shape): Float64Array {
  const result = new Float64Array(sizeOf(shape))
  forEachProduct(fromOutputs, x.shape, shape, g.shape, a, (i, f, o) => {
    result[f]! += at(x, i) * g.values[o]!
  })
  return result
}
