import { multiplyAdd } from './multiply-add'
import { putPart } from './vector-part'

/*
 * Products straight from the operands where k lies side by side in B: B[p, j] is at b + 4 p + j bColumn, and
 * 4x4 blocks are transposed on the way. The same order of summation as everywhere.
 */

// @ts-ignore: decorator
@inline
function madd(sum: v128, a: usize, b: v128): v128 {
  return multiplyAdd(v128.load_splat<f32>(a), b, sum)
}

// @ts-ignore: decorator
@inline
function gather(b: usize, b1: usize, b2: usize, b3: usize): v128 {
  const pair = v128.load_lane<f32>(b1, v128.load_zero<f32>(b), 1)
  return v128.load_lane<f32>(b3, v128.load_lane<f32>(b2, pair, 2), 3)
}

/** out[0..4, 0..width], width at most 4. */
function across4(
  a: usize, aRow: usize, aStep: usize, b: usize, bColumn: usize,
  k: i32, out: usize, row: usize, width: i32, add: bool,
): void {
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0), c3 = f32x4.splat(0)
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  // Columns that are not there repeat the first; putPart drops them.
  let b1 = width > 1 ? b + bColumn : b
  let b2 = width > 2 ? b + (bColumn << 1) : b
  let b3 = width > 3 ? b + 3 * bColumn : b
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(b)
    const r1 = v128.load(b1)
    const r2 = v128.load(b2)
    const r3 = v128.load(b3)
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    let t = v128.shuffle<i64>(low01, low23, 0, 2)
    c0 = madd(c0, a, t)
    a += aStep
    c1 = madd(c1, a1, t)
    a1 += aStep
    c2 = madd(c2, a2, t)
    a2 += aStep
    c3 = madd(c3, a3, t)
    a3 += aStep
    t = v128.shuffle<i64>(low01, low23, 1, 3)
    c0 = madd(c0, a, t)
    a += aStep
    c1 = madd(c1, a1, t)
    a1 += aStep
    c2 = madd(c2, a2, t)
    a2 += aStep
    c3 = madd(c3, a3, t)
    a3 += aStep
    t = v128.shuffle<i64>(high01, high23, 0, 2)
    c0 = madd(c0, a, t)
    a += aStep
    c1 = madd(c1, a1, t)
    a1 += aStep
    c2 = madd(c2, a2, t)
    a2 += aStep
    c3 = madd(c3, a3, t)
    a3 += aStep
    t = v128.shuffle<i64>(high01, high23, 1, 3)
    c0 = madd(c0, a, t)
    a += aStep
    c1 = madd(c1, a1, t)
    a1 += aStep
    c2 = madd(c2, a2, t)
    a2 += aStep
    c3 = madd(c3, a3, t)
    a3 += aStep
    b += 16
    b1 += 16
    b2 += 16
    b3 += 16
  }
  for (; k > 0; k--) {
    const t = gather(b, b1, b2, b3)
    c0 = madd(c0, a, t)
    a += aStep
    c1 = madd(c1, a1, t)
    a1 += aStep
    c2 = madd(c2, a2, t)
    a2 += aStep
    c3 = madd(c3, a3, t)
    a3 += aStep
    b += 4
    b1 += 4
    b2 += 4
    b3 += 4
  }
  putPart(out, c0, width, add)
  out += row
  putPart(out, c1, width, add)
  out += row
  putPart(out, c2, width, add)
  out += row
  putPart(out, c3, width, add)
}

/** out[0, 0..width], width at most 4. */
function across1(
  a: usize, aStep: usize, b: usize, bColumn: usize, k: i32, out: usize, width: i32, add: bool,
): void {
  let c0 = f32x4.splat(0)
  // Columns that are not there repeat the first; putPart drops them.
  let b1 = width > 1 ? b + bColumn : b
  let b2 = width > 2 ? b + (bColumn << 1) : b
  let b3 = width > 3 ? b + 3 * bColumn : b
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(b)
    const r1 = v128.load(b1)
    const r2 = v128.load(b2)
    const r3 = v128.load(b3)
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    let t = v128.shuffle<i64>(low01, low23, 0, 2)
    c0 = madd(c0, a, t)
    a += aStep
    t = v128.shuffle<i64>(low01, low23, 1, 3)
    c0 = madd(c0, a, t)
    a += aStep
    t = v128.shuffle<i64>(high01, high23, 0, 2)
    c0 = madd(c0, a, t)
    a += aStep
    t = v128.shuffle<i64>(high01, high23, 1, 3)
    c0 = madd(c0, a, t)
    a += aStep
    b += 16
    b1 += 16
    b2 += 16
    b3 += 16
  }
  for (; k > 0; k--) {
    const t = gather(b, b1, b2, b3)
    c0 = madd(c0, a, t)
    a += aStep
    b += 4
    b1 += 4
    b2 += 4
    b3 += 4
  }
  putPart(out, c0, width, add)
}

/** Adds (or with add = false leaves) one block of k: out[m, n] = A B with k side by side in B. */
export function across(
  a: usize, aRow: usize, aStep: usize, b: usize, bColumn: usize,
  out: usize, m: i32, n: i32, k: i32, add: bool,
): void {
  const row = <usize>n << 2
  for (; m >= 4; m -= 4) {
    for (let j = 0; j < n; j += 4) {
      across4(a, aRow, aStep, b + <usize>j * bColumn, bColumn, k, out + (<usize>j << 2), row, min(4, n - j), add)
    }
    a += aRow << 2
    out += row << 2
  }
  for (; m > 0; m--) {
    for (let j = 0; j < n; j += 4) {
      across1(a, aStep, b + <usize>j * bColumn, bColumn, k, out + (<usize>j << 2), min(4, n - j), add)
    }
    a += aRow
    out += row
  }
}
