import { extent, leaves, padBlock, stripColumns, stripRows } from './pad'
import { panel4x8, tile4x4, tileDepthwise } from './tiles'

/** Bytes between the pixels of a copied block: whole vectors where vectors are read from it. */
// @ts-ignore: decorator
@inline
export function blockPixel(channels: i32, depthwise: bool): usize {
  return <usize>(depthwise ? (channels + 3) & -4 : channels) << 2
}

/**
 * Bytes of scratch that `convolve` needs: one strip of the input with its padding, or 0 where the input is read in place.
 */
export function convolveScratch(
  inH: i32, inW: i32, channels: i32, top: i32, left: i32,
  kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32, outH: i32, outW: i32, depthwise: bool,
): usize {
  const copies = leaves(top, outH, sH, kH, dH, inH) || leaves(left, outW, sW, kW, dW, inW)
  if (!copies && !(depthwise && (channels & 3) != 0)) return 0
  const rows = extent(stripRows(outH, outW), sH, kH, dH)
  const columns = extent(min(outW, stripColumns), sW, kW, dW)
  return <usize>rows * <usize>columns * blockPixel(channels, depthwise)
}

/**
 * Convolves `images` images, or one group of their channels, with a filter that `packFilter` packed: out[n, y, x, o] = the sum
 * over i, j, c of x[n, top + y sH + i dH, left + x sW + j dW, c] filter[i, j, c, o], where x is 0 outside. Depthwise, c is o.
 *
 * Each element is summed in increasing i, j, c.
 *
 * @param inChannels channels of a pixel, @param channels of them those that are read, from `x` on
 * @param outImage @param outRow @param outPixel elements between neighbours in `out`
 * @param scratch `convolveScratch` bytes
 */
export function convolve(
  x: usize, images: i32, inH: i32, inW: i32, inChannels: i32, channels: i32, filter: usize,
  out: usize, outImage: i32, outRow: i32, outPixel: i32, outChannels: i32, top: i32, left: i32,
  kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32, outH: i32, outW: i32, depthwise: bool, scratch: usize,
): void {
  const copies = convolveScratch(inH, inW, channels, top, left, kH, kW, dH, dW, sH, sW, outH, outW, depthwise) > 0
  const image = (<usize>inH * <usize>inW * <usize>inChannels) << 2
  const inPixel = <usize>inChannels << 2
  const pixel = copies ? blockPixel(channels, depthwise) : inPixel
  const rowsOfStrip = stripRows(outH, outW)
  for (; images > 0; images--) {
    for (let y = 0; y < outH; y += rowsOfStrip) {
      const rows = min(rowsOfStrip, outH - y)
      for (let column = 0; column < outW; column += stripColumns) {
        const columns = min(stripColumns, outW - column)
        const firstRow = top + y * sH
        const firstColumn = left + column * sW
        let from: usize
        let row: usize
        if (copies) {
          const width = extent(columns, sW, kW, dW)
          padBlock(
            x, inH, inW, inPixel, channels, firstRow, firstColumn, extent(rows, sH, kH, dH), width, scratch, pixel,
          )
          from = scratch
          row = <usize>width * pixel
        } else {
          from = x + <usize>(firstRow * inW + firstColumn) * pixel
          row = <usize>inW * pixel
        }
        strip(
          from, row, pixel, channels, filter, out + (<usize>(y * outRow + column * outPixel) << 2),
          <usize>outRow << 2, <usize>outPixel << 2, outChannels, kH, kW, dH, dW, sH, sW, rows, columns, depthwise,
        )
      }
    }
    x += image
    out += <usize>outImage << 2
  }
}

/** Rows and columns of one image: panel after panel, tiles of four pixels in reading order. */
function strip(
  x: usize, row: usize, pixel: usize, channels: i32, filter: usize, out: usize, outRow: usize, outPixel: usize,
  outChannels: i32, kH: i32, kW: i32, dH: i32, dW: i32, sH: i32, sW: i32, rows: i32, columns: i32, depthwise: bool,
): void {
  // Where a row of a window is one run of floats it is read as one.
  const isRun = !depthwise && dW == 1 && pixel == <usize>channels << 2
  const taps = isRun ? 1 : kW
  const run = (<usize>channels << 2) * <usize>(isRun ? kW : 1)
  const columnStep = <usize>dW * pixel
  const rowStep = <usize>dH * row
  const columnSkip = isRun ? 0 : columnStep - run
  const rowSkip = rowStep - (isRun ? run : <usize>kW * columnStep)
  const panel = (<usize>kH * <usize>kW * <usize>(depthwise ? 1 : channels)) << 5
  const aStep = <usize>sW * pixel
  const aWrap = <usize>sH * row - <usize>(columns - 1) * aStep
  const oWrap = outRow - <usize>(columns - 1) * outPixel
  for (let j = 0; j < outChannels; j += 8) {
    const width = min(8, outChannels - j)
    let a = depthwise ? x + (<usize>j << 2) : x
    let o = out + (<usize>j << 2)
    let column = 0
    if (!depthwise && width > 4) {
      panel4x8(
        a, aStep, aWrap, filter, kH, taps, run, columnSkip, rowSkip, o, outPixel, oWrap, columns, rows * columns, width,
      )
      filter += panel
      continue
    }
    for (let left = rows * columns; left > 0; left -= 4) {
      const a0 = a
      const o0 = o
      let a1 = a, a2 = a, a3 = a
      let o1 = o, o2 = o, o3 = o
      // Pixels that are not there repeat the first, and are not stored.
      for (let i = 1; i <= 4; i++) {
        if (++column == columns) {
          column = 0
          a += aWrap
          o += oWrap
        } else {
          a += aStep
          o += outPixel
        }
        if (i >= left) break
        if (i == 1) {
          a1 = a
          o1 = o
        } else if (i == 2) {
          a2 = a
          o2 = o
        } else if (i == 3) {
          a3 = a
          o3 = o
        }
      }
      if (depthwise) {
        const bStep = width > 4 ? 32 : 16
        tileDepthwise(
          a0, a1, a2, a3, filter, bStep, kH, kW, columnStep, rowSkip, o0, o1, o2, o3, left, min(4, width),
        )
        if (width > 4) {
          tileDepthwise(
            a0 + 16, a1 + 16, a2 + 16, a3 + 16, filter + 16, bStep, kH, kW, columnStep, rowSkip,
            o0 + 16, o1 + 16, o2 + 16, o3 + 16, left, width - 4,
          )
        }
      } else tile4x4(a0, a1, a2, a3, filter, kH, taps, run, columnSkip, rowSkip, o0, o1, o2, o3, left, width)
    }
    filter += panel
  }
}
