import { multiplyAdd } from '../multiply-add'

/*
 * The micro-kernels of a filter's gradient: four places of the filter (or taps of a depthwise one) times eight (four) channels,
 * summed over the pixels of a strip in float32. The sums of strips are added up in float64, so that errors do not grow with
 * the batch.
 */

/** Adds four float32 sums to four float64 ones. */
// @ts-ignore: decorator
@inline
function addTo(total: usize, value: v128): void {
  v128.store(total, f64x2.add(v128.load(total), f64x2.promote_low_f32x4(value)))
  const high = v128.shuffle<i64>(value, value, 1, 1)
  v128.store(total, f64x2.add(v128.load(total, 16), f64x2.promote_low_f32x4(high)), 16)
}

/**
 * Adds the sums of a strip to totals[4, 8].
 *
 * @param a0 @param a1 @param a2 @param a3 where the places' pixels begin: floats, `columnStep` bytes apart
 * @param b the other operand, packed [pixels, 8]
 * @param rowSkip @param imageSkip bytes from the end of a row to the next, of an image to the next
 */
export function gradientTile(
  a0: usize, a1: usize, a2: usize, a3: usize, b: usize,
  images: i32, rows: i32, columns: i32, columnStep: usize, rowSkip: usize, imageSkip: usize, totals: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0)
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0)
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0)
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0)
  let s: v128, b0: v128, b1: v128
  const rowBytes = <usize>columns << 5
  do {
    let row = rows
    do {
      const end = b + rowBytes
      do {
        b0 = v128.load(b)
        b1 = v128.load(b, 16)
        s = v128.load_splat<f32>(a0)
        c00 = multiplyAdd(s, b0, c00)
        c01 = multiplyAdd(s, b1, c01)
        s = v128.load_splat<f32>(a1)
        c10 = multiplyAdd(s, b0, c10)
        c11 = multiplyAdd(s, b1, c11)
        s = v128.load_splat<f32>(a2)
        c20 = multiplyAdd(s, b0, c20)
        c21 = multiplyAdd(s, b1, c21)
        s = v128.load_splat<f32>(a3)
        c30 = multiplyAdd(s, b0, c30)
        c31 = multiplyAdd(s, b1, c31)
        a0 += columnStep
        a1 += columnStep
        a2 += columnStep
        a3 += columnStep
        b += 32
        if (b == end) break
        b0 = v128.load(b)
        b1 = v128.load(b, 16)
        s = v128.load_splat<f32>(a0)
        c00 = multiplyAdd(s, b0, c00)
        c01 = multiplyAdd(s, b1, c01)
        s = v128.load_splat<f32>(a1)
        c10 = multiplyAdd(s, b0, c10)
        c11 = multiplyAdd(s, b1, c11)
        s = v128.load_splat<f32>(a2)
        c20 = multiplyAdd(s, b0, c20)
        c21 = multiplyAdd(s, b1, c21)
        s = v128.load_splat<f32>(a3)
        c30 = multiplyAdd(s, b0, c30)
        c31 = multiplyAdd(s, b1, c31)
        a0 += columnStep
        a1 += columnStep
        a2 += columnStep
        a3 += columnStep
        b += 32
      } while (b != end)
      a0 += rowSkip
      a1 += rowSkip
      a2 += rowSkip
      a3 += rowSkip
    } while (--row)
    a0 += imageSkip
    a1 += imageSkip
    a2 += imageSkip
    a3 += imageSkip
  } while (--images)
  addTo(totals, c00)
  addTo(totals + 32, c01)
  addTo(totals + 64, c10)
  addTo(totals + 96, c11)
  addTo(totals + 128, c20)
  addTo(totals + 160, c21)
  addTo(totals + 192, c30)
  addTo(totals + 224, c31)
}

/** The same for a depthwise filter: vectors of four channels times vectors, totals[4 taps, 4]. */
export function gradientTileDepthwise(
  a0: usize, a1: usize, a2: usize, a3: usize, b: usize,
  images: i32, rows: i32, columns: i32, columnStep: usize, rowSkip: usize, imageSkip: usize, totals: usize,
): void {
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0)
  const rowBytes = <usize>columns << 4
  do {
    let row = rows
    do {
      const end = b + rowBytes
      do {
        const s = v128.load(b)
        c0 = multiplyAdd(v128.load(a0), s, c0)
        c1 = multiplyAdd(v128.load(a1), s, c1)
        c2 = multiplyAdd(v128.load(a2), s, c2)
        c3 = multiplyAdd(v128.load(a3), s, c3)
        a0 += columnStep
        a1 += columnStep
        a2 += columnStep
        a3 += columnStep
        b += 16
      } while (b != end)
      a0 += rowSkip
      a1 += rowSkip
      a2 += rowSkip
      a3 += rowSkip
    } while (--row)
    a0 += imageSkip
    a1 += imageSkip
    a2 += imageSkip
    a3 += imageSkip
  } while (--images)
  addTo(totals, c0)
  addTo(totals + 32, c1)
  addTo(totals + 64, c2)
  addTo(totals + 96, c3)
}
