import { loadPart, putPart } from '../vector-part'

/*
 * Pooling, vectorised across channels. Windows are cut off at the image's edge: there is nothing outside. A window of output
 * row y begins at input row top + y sH; each has at least one pixel inside.
 */

/** out[n, y, x, c] = the largest of the window; NaN where there is one. */
export function maxPool(
  x: usize, out: usize, images: i32, inH: i32, inW: i32, channels: i32, top: i32, left: i32,
  kH: i32, kW: i32, sH: i32, sW: i32, outH: i32, outW: i32,
): void {
  const pixel = <usize>channels << 2
  const row = <usize>inW * pixel
  for (; images > 0; images--) {
    for (let y = 0; y < outH; y++) {
      const y0 = top + y * sH
      const rows = min(inH, y0 + kH) - max(0, y0)
      for (let i = 0; i < outW; i++) {
        const x0 = left + i * sW
        const columns = min(inW, x0 + kW) - max(0, x0)
        const from = x + <usize>max(0, y0) * row + <usize>max(0, x0) * pixel
        if (rows == 2 && columns == 2) {
          let c: usize = 0
          for (; c + 16 <= pixel; c += 16) {
            const at = from + c
            const first = f32x4.max(v128.load(at), v128.load(at + pixel))
            v128.store(out + c, f32x4.max(first, f32x4.max(v128.load(at + row), v128.load(at + row + pixel))))
          }
          if (c < pixel) {
            const at = from + c
            const width = <i32>((pixel - c) >> 2)
            const first = f32x4.max(loadPart(at, width), loadPart(at + pixel, width))
            const second = f32x4.max(loadPart(at + row, width), loadPart(at + row + pixel, width))
            putPart(out + c, f32x4.max(first, second), width, false)
          }
        } else {
          for (let c: usize = 0; c < pixel; c += 16) {
            const width = <i32>((pixel - c) >> 2)
            let best = loadPart(from + c, width)
            for (let r = 0; r < rows; r++) {
              let at = from + c + <usize>r * row
              for (let k = 0; k < columns; k++) {
                best = f32x4.max(best, loadPart(at, width))
                at += pixel
              }
            }
            putPart(out + c, best, width, false)
          }
        }
        out += pixel
      }
    }
    x += <usize>inH * row
  }
}

/** Where `value` is larger than `best`, or the first NaN. */
// @ts-ignore: decorator
@inline
function isBetter(value: v128, best: v128): v128 {
  return v128.or(f32x4.gt(value, best), v128.and(f32x4.ne(value, value), f32x4.eq(best, best)))
}

/** Four channels of a window of two by two: `apart` where no other window holds its pixels. */
// @ts-ignore: decorator
@inline
function spread2x2(x: usize, g: usize, out: usize, pixel: usize, row: usize, apart: bool): void {
  const v0 = v128.load(x)
  const v1 = v128.load(x + pixel)
  const v2 = v128.load(x + row)
  const v3 = v128.load(x + row + pixel)
  const share = v128.load(g)
  const above = isBetter(v1, v0)
  const below = isBetter(v3, v2)
  const isBelow = isBetter(v128.bitselect(v3, v2, below), v128.bitselect(v1, v0, above))
  const high = v128.andnot(share, isBelow)
  const low = v128.and(share, isBelow)
  let s0 = v128.andnot(high, above)
  let s1 = v128.and(high, above)
  let s2 = v128.andnot(low, below)
  let s3 = v128.and(low, below)
  if (!apart) {
    s0 = f32x4.add(v128.load(out), s0)
    s1 = f32x4.add(v128.load(out + pixel), s1)
    s2 = f32x4.add(v128.load(out + row), s2)
    s3 = f32x4.add(v128.load(out + row + pixel), s3)
  }
  v128.store(out, s0)
  v128.store(out + pixel, s1)
  v128.store(out + row, s2)
  v128.store(out + row + pixel, s3)
}

/**
 * Finds the first largest of each window, or the first NaN. With `spreads`, adds g[n, y, x, c] to that place of out, which is
 * x's shape and filled with zeros; else stores g, of x's shape, from that place to out[n, y, x, c].
 */
export function maxPoolPlaces(
  x: usize, g: usize, out: usize, images: i32, inH: i32, inW: i32, channels: i32, top: i32, left: i32,
  kH: i32, kW: i32, sH: i32, sW: i32, outH: i32, outW: i32, spreads: bool,
): void {
  const pixel = <usize>channels << 2
  const row = <usize>inW * pixel
  if (spreads) memory.fill(out, 0, <usize>images * <usize>inH * row)
  // From a place in x to that in the other tensor of its shape.
  let other: usize = spreads ? out - x : g - x
  let small = spreads ? g : out
  const apart = sH >= kH && sW >= kW
  for (; images > 0; images--) {
    for (let y = 0; y < outH; y++) {
      const y0 = top + y * sH
      const rows = min(inH, y0 + kH) - max(0, y0)
      for (let i = 0; i < outW; i++) {
        const x0 = left + i * sW
        const columns = min(inW, x0 + kW) - max(0, x0)
        const from = x + <usize>max(0, y0) * row + <usize>max(0, x0) * pixel
        let c: usize = 0
        if (spreads && rows == 2 && columns == 2) {
          for (; c + 16 <= pixel; c += 16) spread2x2(from + c, small + c, from + c + other, pixel, row, apart)
        }
        for (; c < pixel; c += 16) {
          const width = <i32>((pixel - c) >> 2)
          const start = from + c
          let best = loadPart(start, width)
          let picked = spreads ? best : loadPart(start + other, width)
          let place = i32x4.splat(0)
          let tap = 0
          for (let r = 0; r < rows; r++) {
            let at = start + <usize>r * row
            for (let k = 0; k < columns; k++) {
              const value = loadPart(at, width)
              const better = isBetter(value, best)
              best = v128.bitselect(value, best, better)
              if (spreads) place = v128.bitselect(i32x4.splat(tap), place, better)
              else picked = v128.bitselect(loadPart(at + other, width), picked, better)
              at += pixel
              tap++
            }
          }
          if (spreads) {
            const share = loadPart(small + c, width)
            tap = 0
            for (let r = 0; r < rows; r++) {
              let at = start + <usize>r * row + other
              for (let k = 0; k < columns; k++) {
                putPart(at, v128.and(share, i32x4.eq(place, i32x4.splat(tap))), width, true)
                at += pixel
                tap++
              }
            }
          } else putPart(small + c, picked, width, false)
        }
        small += pixel
      }
    }
    x += <usize>inH * row
  }
}

/**
 * Means of windows, out[n, y, x, c] of x; or with `spreads` their adjoint: adds g[n, y, x, c] over the count to each place of
 * the window in out, which is filled with zeros.
 *
 * @param x of the images' shape with `spreads` the output, else the input; @param y the other
 * @param whole what means are over: 0 for the pixels inside, else that count
 */
export function averagePool(
  x: usize, y: usize, images: i32, inH: i32, inW: i32, channels: i32, top: i32, left: i32,
  kH: i32, kW: i32, sH: i32, sW: i32, outH: i32, outW: i32, whole: i32, spreads: bool,
): void {
  const pixel = <usize>channels << 2
  const row = <usize>inW * pixel
  if (spreads) memory.fill(x, 0, <usize>images * <usize>inH * row)
  for (; images > 0; images--) {
    for (let j = 0; j < outH; j++) {
      const y0 = top + j * sH
      const rows = min(inH, y0 + kH) - max(0, y0)
      for (let i = 0; i < outW; i++) {
        const x0 = left + i * sW
        const columns = min(inW, x0 + kW) - max(0, x0)
        const from = x + <usize>max(0, y0) * row + <usize>max(0, x0) * pixel
        const count = f32x4.splat(<f32>(whole > 0 ? whole : rows * columns))
        for (let c: usize = 0; c < pixel; c += 16) {
          const width = <i32>((pixel - c) >> 2)
          let sum = spreads ? f32x4.div(loadPart(y + c, width), count) : f32x4.splat(0)
          for (let r = 0; r < rows; r++) {
            let at = from + c + <usize>r * row
            for (let k = 0; k < columns; k++) {
              if (spreads) putPart(at, sum, width, true)
              else sum = f32x4.add(sum, loadPart(at, width))
              at += pixel
            }
          }
          if (!spreads) putPart(y + c, f32x4.div(sum, count), width, false)
        }
        y += pixel
      }
    }
    x += <usize>inH * row
  }
}
