/** Columns of an output row that are worked on at once. */
export const stripColumns: i32 = 512
/** Output pixels of a strip: with a panel of the other operand they stay in the near caches. */
const stripPixels: i32 = 256

/** Rows of output of a strip: a function of the output's size alone. */
// @ts-ignore: decorator
@inline
export function stripRows(outH: i32, outW: i32): i32 {
  return max(1, min(outH, (stripPixels + outW - 1) / max(1, outW)))
}

/** Whole images of a strip, where they are small. */
// @ts-ignore: decorator
@inline
export function stripImages(images: i32, outH: i32, outW: i32): i32 {
  return max(1, min(images, stripPixels / max(1, outH * outW)))
}

/** How far `count` windows reach. */
// @ts-ignore: decorator
@inline
export function extent(count: i32, stride: i32, taps: i32, dilation: i32): i32 {
  return (count - 1) * stride + (taps - 1) * dilation + 1
}

/** Whether windows, the first of which begins at `first`, leave the axis. */
// @ts-ignore: decorator
@inline
export function leaves(first: i32, count: i32, stride: i32, taps: i32, dilation: i32, size: i32): bool {
  return first < 0 || first + extent(count, stride, taps, dilation) > size
}

// @ts-ignore: decorator
@inline
function copyPixels(x: usize, pixel: usize, channels: i32, count: i32, out: usize, outPixel: usize): void {
  const bytes = <usize>channels << 2
  if (pixel == bytes && outPixel == bytes) {
    memory.copy(out, x, <usize>count * bytes)
    return
  }
  for (; count > 0; count--) {
    let at: usize = 0
    for (; at + 16 <= bytes; at += 16) v128.store(out + at, v128.load(x + at))
    for (; at < bytes; at += 4) store<f32>(out + at, load<f32>(x + at))
    x += pixel
    out += outPixel
  }
}

/**
 * Writes the block of an image that begins at row `top` and column `left`, zeros where it lies outside.
 *
 * @param pixel bytes between pixels of the image, @param outPixel of the block
 * @param channels how many of a pixel's channels are copied
 */
export function padBlock(
  x: usize, height: i32, width: i32, pixel: usize, channels: i32,
  top: i32, left: i32, rows: i32, columns: i32, out: usize, outPixel: usize,
): void {
  const before = min(columns, max(0, -left))
  const count = max(0, min(width, left + columns) - max(0, left))
  const after = columns - before - count
  const row = <usize>columns * outPixel
  for (let y = top; y < top + rows; y++) {
    if (y < 0 || y >= height || count == 0) memory.fill(out, 0, row)
    else {
      const at = out + <usize>before * outPixel
      if (before > 0) memory.fill(out, 0, <usize>before * outPixel)
      copyPixels(x + <usize>(y * width + max(0, left)) * pixel, pixel, channels, count, at, outPixel)
      if (after > 0) memory.fill(at + <usize>count * outPixel, 0, <usize>after * outPixel)
    }
    out += row
  }
}
