import { multiplyAdd } from '../multiply-add'
import { putPart } from '../vector-part'

/*
 * The micro-kernels: four pixels, or four places of a filter, times eight channels. Eight accumulators and exits between the
 * bodies, as in matmul-tiles; but the left operand is read where it lies, by a pointer for each of its rows, so that no
 * patch is ever copied. Each sum is taken in increasing order from zero, whatever tile computes it.
 */

// @ts-ignore: decorator
@inline
function putPixel(out: usize, first: v128, second: v128, width: i32): void {
  if (width == 8) {
    v128.store(out, first)
    v128.store(out, second, 16)
  } else {
    putPart(out, first, min(4, width), false)
    if (width > 4) putPart(out + 16, second, width - 4, false)
  }
}

/**
 * `pixels` pixels of output, in rows of `count`, four at a time: sums over windows of `rows` x `columns` runs of neighbouring floats.
 *
 * @param a where the first pixel's window begins; @param aStep bytes to the next one's, @param aWrap from a row's last to the next row's first
 * @param b a panel of the packed filter
 * @param run bytes of a run; @param columnSkip from its end to the next; @param rowSkip from there to the next row
 * @param o the first pixel in the output; @param oStep @param oWrap as for `a`
 * @param width how many of the eight channels exist
 */
export function panel4x8(
  a: usize, aStep: usize, aWrap: usize, panel: usize, rows: i32, columns: i32, run: usize, columnSkip: usize, rowSkip: usize,
  o: usize, oStep: usize, oWrap: usize, count: i32, pixels: i32, width: i32,
): void {
  let x = 0
  for (; pixels > 0; pixels -= 4) {
    let a0 = a, a1 = a, a2 = a, a3 = a
    let o0 = o, o1 = o, o2 = o, o3 = o
    // Pixels that are not there repeat the first, and are not stored.
    if (++x == count) {
      x = 0
      a += aWrap
      o += oWrap
    } else {
      a += aStep
      o += oStep
    }
    if (pixels > 1) {
      a1 = a
      o1 = o
      if (++x == count) {
        x = 0
        a += aWrap
        o += oWrap
      } else {
        a += aStep
        o += oStep
      }
    }
    if (pixels > 2) {
      a2 = a
      o2 = o
      if (++x == count) {
        x = 0
        a += aWrap
        o += oWrap
      } else {
        a += aStep
        o += oStep
      }
    }
    if (pixels > 3) {
      a3 = a
      o3 = o
      if (++x == count) {
        x = 0
        a += aWrap
        o += oWrap
      } else {
        a += aStep
        o += oStep
      }
    }
    let b = panel
    let c00 = f32x4.splat(0), c01 = f32x4.splat(0)
    let c10 = f32x4.splat(0), c11 = f32x4.splat(0)
    let c20 = f32x4.splat(0), c21 = f32x4.splat(0)
    let c30 = f32x4.splat(0), c31 = f32x4.splat(0)
    let s: v128, b0: v128, b1: v128
    let row = rows
    do {
      let column = columns
      do {
        const end = a0 + run
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
          a0 += 4
          a1 += 4
          a2 += 4
          a3 += 4
          b += 32
          if (a0 == end) break
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
          a0 += 4
          a1 += 4
          a2 += 4
          a3 += 4
          b += 32
          if (a0 == end) break
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
          a0 += 4
          a1 += 4
          a2 += 4
          a3 += 4
          b += 32
          if (a0 == end) break
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
          a0 += 4
          a1 += 4
          a2 += 4
          a3 += 4
          b += 32
        } while (a0 != end)
        a0 += columnSkip
        a1 += columnSkip
        a2 += columnSkip
        a3 += columnSkip
      } while (--column)
      a0 += rowSkip
      a1 += rowSkip
      a2 += rowSkip
      a3 += rowSkip
    } while (--row)
    putPixel(o0, c00, c01, width)
    if (pixels > 1) putPixel(o1, c10, c11, width)
    if (pixels > 2) putPixel(o2, c20, c21, width)
    if (pixels > 3) putPixel(o3, c30, c31, width)
  }
}

/** The same for a last panel of at most four channels. */
export function tile4x4(
  a0: usize, a1: usize, a2: usize, a3: usize, b: usize,
  rows: i32, columns: i32, run: usize, columnSkip: usize, rowSkip: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, pixels: i32, width: i32,
): void {
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0)
  do {
    let column = columns
    do {
      const end = a0 + run
      do {
        const b0 = v128.load(b)
        c0 = multiplyAdd(v128.load_splat<f32>(a0), b0, c0)
        c1 = multiplyAdd(v128.load_splat<f32>(a1), b0, c1)
        c2 = multiplyAdd(v128.load_splat<f32>(a2), b0, c2)
        c3 = multiplyAdd(v128.load_splat<f32>(a3), b0, c3)
        a0 += 4
        a1 += 4
        a2 += 4
        a3 += 4
        b += 16
      } while (a0 != end)
      a0 += columnSkip
      a1 += columnSkip
      a2 += columnSkip
      a3 += columnSkip
    } while (--column)
    a0 += rowSkip
    a1 += rowSkip
    a2 += rowSkip
    a3 += rowSkip
  } while (--rows)
  putPart(o0, c0, width, false)
  if (pixels > 1) putPart(o1, c1, width, false)
  if (pixels > 2) putPart(o2, c2, width, false)
  if (pixels > 3) putPart(o3, c3, width, false)
}

/** Four pixels of a depthwise convolution, the first `width` of four channels: windows are `rows` x `columns` vectors. */
export function tileDepthwise(
  a0: usize, a1: usize, a2: usize, a3: usize, b: usize, bStep: usize,
  rows: i32, columns: i32, columnStep: usize, rowSkip: usize,
  o0: usize, o1: usize, o2: usize, o3: usize, pixels: i32, width: i32,
): void {
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0)
  do {
    let column = columns
    do {
      const b0 = v128.load(b)
      c0 = multiplyAdd(v128.load(a0), b0, c0)
      c1 = multiplyAdd(v128.load(a1), b0, c1)
      c2 = multiplyAdd(v128.load(a2), b0, c2)
      c3 = multiplyAdd(v128.load(a3), b0, c3)
      a0 += columnStep
      a1 += columnStep
      a2 += columnStep
      a3 += columnStep
      b += bStep
    } while (--column)
    a0 += rowSkip
    a1 += rowSkip
    a2 += rowSkip
    a3 += rowSkip
  } while (--rows)
  putPart(o0, c0, width, false)
  if (pixels > 1) putPart(o1, c1, width, false)
  if (pixels > 2) putPart(o2, c2, width, false)
  if (pixels > 3) putPart(o3, c3, width, false)
}
