import { putPart } from '../vector-part'
import { blockPixel } from './convolve'
import { gradientTile, gradientTileDepthwise } from './gradient-tiles'
import { packPixels } from './pack'
import { extent, leaves, padBlock, stripColumns, stripImages, stripRows } from './pad'

// @ts-ignore: decorator
@inline
function copiesInput(
  inH: i32, inW: i32, channels: i32, top: i32, left: i32,
  kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32, outH: i32, outW: i32, depthwise: bool,
): bool {
  return (
    (depthwise && (channels & 3) != 0) ||
    leaves(top, outH, sH, kH, dH, inH) ||
    leaves(left, outW, sW, kW, dW, inW)
  )
}

// @ts-ignore: decorator
@inline
function totalsBytes(places: i32, outChannels: i32, width: i32): usize {
  return ((<usize>(places + 3) & -4) * <usize>((outChannels + width - 1) & -width)) << 3
}

// @ts-ignore: decorator
@inline
function packedBytes(images: i32, outChannels: i32, width: i32, outH: i32, outW: i32): usize {
  const pixels = stripImages(images, outH, outW) * stripRows(outH, outW) * min(outW, stripColumns)
  return (<usize>pixels * <usize>((outChannels + width - 1) & -width)) << 2
}

/**
 * Bytes of scratch that `filterGradient` needs: the filter in float64, the pixels of a strip packed, and where there is padding
 * a strip of the input with it.
 */
export function filterGradientScratch(
  images: i32, inH: i32, inW: i32, channels: i32, outChannels: i32, top: i32, left: i32,
  kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32, outH: i32, outW: i32, depthwise: bool,
): usize {
  const width = depthwise ? 4 : 8
  const places = depthwise ? kH * kW : kH * kW * channels
  const bytes = totalsBytes(places, outChannels, width) + packedBytes(images, outChannels, width, outH, outW)
  if (!copiesInput(inH, inW, channels, top, left, kH, kW, dH, dW, sH, sW, outH, outW, depthwise)) return bytes
  const rows = stripImages(images, outH, outW) * extent(stripRows(outH, outW), sH, kH, dH)
  const columns = extent(min(outW, stripColumns), sW, kW, dW)
  return bytes + <usize>rows * <usize>columns * blockPixel(channels, depthwise)
}

/**
 * The gradient of a filter: out[i, j, c, o] = the sum over n, y, x of x[n, top + y sH + i dH, left + x sW + j dW, c] g[n, y, x, o],
 * where x is 0 outside. Depthwise, c is o.
 *
 * Each element is summed over strips of about 256 pixels in float32, and over strips in float64: an order that depends on
 * shapes alone.
 *
 * @param inChannels channels of a pixel, @param channels of them those that are read, from `x` on
 * @param gChannels @param outChannels the same for `g`
 * @param outRow elements between the places of the filter in `out`
 * @param scratch `filterGradientScratch` bytes
 */
export function filterGradient(
  x: usize, images: i32, inH: i32, inW: i32, inChannels: i32, channels: i32, g: usize, gChannels: i32, outChannels: i32,
  out: usize, outRow: i32, top: i32, left: i32, kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32,
  outH: i32, outW: i32, depthwise: bool, scratch: usize,
): void {
  const width = depthwise ? 4 : 8
  const places = depthwise ? kH * kW : kH * kW * channels
  const totals = scratch
  const packed = totals + totalsBytes(places, outChannels, width)
  const block = packed + packedBytes(images, outChannels, width, outH, outW)
  const copies = copiesInput(inH, inW, channels, top, left, kH, kW, dH, dW, sH, sW, outH, outW, depthwise)
  const inPixel = <usize>inChannels << 2
  const inImage = <usize>inH * <usize>inW * inPixel
  const pixel = copies ? blockPixel(channels, depthwise) : inPixel
  const imagesOfStrip = stripImages(images, outH, outW)
  const rowsOfStrip = stripRows(outH, outW)
  memory.fill(totals, 0, packed - totals)
  for (let n = 0; n < images; n += imagesOfStrip) {
    const count = min(imagesOfStrip, images - n)
    for (let y = 0; y < outH; y += rowsOfStrip) {
      const rows = min(rowsOfStrip, outH - y)
      for (let column = 0; column < outW; column += stripColumns) {
        const columns = min(stripColumns, outW - column)
        const pixels = count * rows * columns
        const firstPixel = <usize>((n * outH + y) * outW + column)
        packPixels(g + firstPixel * (<usize>gChannels << 2), <usize>gChannels << 2, outChannels, pixels, packed, width)
        const firstRow = top + y * sH
        const firstColumn = left + column * sW
        let from = x + <usize>n * inImage + <usize>(firstRow * inW + firstColumn) * inPixel
        let row = <usize>inW * inPixel
        let image = inImage
        if (copies) {
          const height = extent(rows, sH, kH, dH)
          const across = extent(columns, sW, kW, dW)
          row = <usize>across * pixel
          image = <usize>height * row
          for (let i = 0; i < count; i++) {
            padBlock(
              x + <usize>(n + i) * inImage, inH, inW, inPixel, channels, firstRow, firstColumn, height, across,
              block + <usize>i * image, pixel,
            )
          }
          from = block
        }
        const columnStep = <usize>sW * pixel
        const rowSkip = <usize>sH * row - <usize>columns * columnStep
        const imageSkip = image - <usize>(rows * sH) * row
        let sums = totals
        for (let m = 0; m < places; m += 4) {
          const a0 = from + placeAt(m, kW, channels, dH * row, dW * pixel, depthwise)
          const a1 = from + placeAt(min(m + 1, places - 1), kW, channels, dH * row, dW * pixel, depthwise)
          const a2 = from + placeAt(min(m + 2, places - 1), kW, channels, dH * row, dW * pixel, depthwise)
          const a3 = from + placeAt(min(m + 3, places - 1), kW, channels, dH * row, dW * pixel, depthwise)
          let b = packed
          for (let j: usize = 0; j < <usize>outChannels << 2; j += <usize>width << 2) {
            if (depthwise) {
              gradientTileDepthwise(
                a0 + j, a1 + j, a2 + j, a3 + j, b, count, rows, columns, columnStep, rowSkip, imageSkip, sums,
              )
            } else gradientTile(a0, a1, a2, a3, b, count, rows, columns, columnStep, rowSkip, imageSkip, sums)
            b += <usize>(pixels * width) << 2
            sums += <usize>width << 5
          }
        }
      }
    }
  }
  let sums = totals
  for (let m = 0; m < places; m += 4) {
    for (let j = 0; j < outChannels; j += width) {
      for (let i = 0; i < min(4, places - m); i++) {
        const at = out + (<usize>((m + i) * outRow + j) << 2)
        putTotals(at, sums + <usize>(i * width) * 8, min(4, outChannels - j))
        if (outChannels - j > 4 && width > 4) {
          putTotals(at + 16, sums + <usize>(i * width + 4) * 8, min(4, outChannels - j - 4))
        }
      }
      sums += <usize>width << 5
    }
  }
}

/** Stores the first `width` of four float64 totals as float32. */
// @ts-ignore: decorator
@inline
function putTotals(out: usize, totals: usize, width: i32): void {
  const first = f32x4.demote_f64x2_zero(v128.load(totals))
  const second = f32x4.demote_f64x2_zero(v128.load(totals, 16))
  putPart(out, v128.shuffle<i64>(first, second, 0, 2), width, false)
}

/** Where place m of the filter reads, from the window's beginning. */
// @ts-ignore: decorator
@inline
function placeAt(m: i32, kW: i32, channels: i32, row: usize, column: usize, depthwise: bool): usize {
  const c = depthwise ? 0 : m % channels
  const tap = depthwise ? m : m / channels
  return <usize>(tap / kW) * row + <usize>(tap % kW) * column + (<usize>c << 2)
}
