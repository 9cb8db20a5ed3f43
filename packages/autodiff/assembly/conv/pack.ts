/**
 * Packs a filter for `convolve`: panels of eight output channels, in each [height, width, channels, 8]. A last panel of at
 * most four has half the width. Lanes beyond the last channel are zeros.
 *
 * @param yStep @param xStep @param inStep @param outStep elements between neighbours in the filter; may be negative
 */
export function packFilter(
  filter: usize, out: usize, height: i32, width: i32, channels: i32, outChannels: i32,
  yStep: i32, xStep: i32, inStep: i32, outStep: i32,
): void {
  const lane = <usize>(outStep << 2)
  const step = <usize>(inStep << 2)
  const panel = (<usize>height * <usize>width * <usize>channels) << 5
  for (let j = 0; j < outChannels; j += 8) {
    const lanes = min(8, outChannels - j)
    const room = lanes > 4 ? 8 : 4
    let at = out
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let from = filter + <usize>((y * yStep + x * xStep + j * outStep) << 2)
        for (let c = 0; c < channels; c++) {
          if (lanes == 8 && outStep == 1) {
            v128.store(at, v128.load(from))
            v128.store(at, v128.load(from, 16), 16)
          } else {
            let one = from
            for (let i = 0; i < room; i++) {
              store<f32>(at + (<usize>i << 2), i < lanes ? load<f32>(one) : 0)
              one += lane
            }
          }
          at += <usize>room << 2
          from += step
        }
      }
    }
    out += panel
  }
}

/** Packs pixels for a filter's gradient: panels of `width` (4 or 8) channels, in each [pixels, width]; zeros beyond the last. */
export function packPixels(
  g: usize, pixel: usize, channels: i32, pixels: i32, out: usize, width: i32,
): void {
  for (let j = 0; j < channels; j += width) {
    const lanes = min(width, channels - j)
    let from = g + (<usize>j << 2)
    for (let i = 0; i < pixels; i++) {
      if (lanes == width) {
        v128.store(out, v128.load(from))
        if (width == 8) v128.store(out, v128.load(from, 16), 16)
      } else {
        for (let c = 0; c < width; c++) {
          store<f32>(out + (<usize>c << 2), c < lanes ? load<f32>(from + (<usize>c << 2)) : 0)
        }
      }
      from += pixel
      out += <usize>width << 2
    }
  }
}
