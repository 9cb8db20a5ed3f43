import { multiplyAdd } from './multiply-add'
import { loadPart, put, putPart } from './vector-part'

/*
 * Products straight from the operands, for shapes where packing would cost more than it saves: the columns of
 * B lie side by side. Every element is summed in increasing k from zero, as the packed tiles do: the same bits.
 *
 * A[i, p] is at a + i aRow + p aStep, B[p, j] at b + p bStep + 4 j; k is never 0. The bodies are written out
 * because a vector in an array or behind a function would not stay in a register.
 */

/** out[0..4, 0..8]. */
function direct4x8(
  a: usize, aRow: usize, aStep: usize, b: usize,
  bStep: usize, k: i32, out: usize, row: usize, add: bool,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0)
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0)
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0)
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0)
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  do {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    c01 = multiplyAdd(s, b1, c01)
    a += aStep
    s = v128.load_splat<f32>(a1)
    c10 = multiplyAdd(s, b0, c10)
    c11 = multiplyAdd(s, b1, c11)
    a1 += aStep
    s = v128.load_splat<f32>(a2)
    c20 = multiplyAdd(s, b0, c20)
    c21 = multiplyAdd(s, b1, c21)
    a2 += aStep
    s = v128.load_splat<f32>(a3)
    c30 = multiplyAdd(s, b0, c30)
    c31 = multiplyAdd(s, b1, c31)
    a3 += aStep
    b += bStep
  } while (--k)
  put(out, c00, add)
  put(out + 16, c01, add)
  out += row
  put(out, c10, add)
  put(out + 16, c11, add)
  out += row
  put(out, c20, add)
  put(out + 16, c21, add)
  out += row
  put(out, c30, add)
  put(out + 16, c31, add)
}

/** out[0..4, 0..width], width at most 4. */
function direct4(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  k: i32, out: usize, row: usize, width: i32, add: bool,
): void {
  let c00 = f32x4.splat(0)
  let c10 = f32x4.splat(0)
  let c20 = f32x4.splat(0)
  let c30 = f32x4.splat(0)
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  do {
    const b0 = loadPart(b, width)
    let s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    a += aStep
    s = v128.load_splat<f32>(a1)
    c10 = multiplyAdd(s, b0, c10)
    a1 += aStep
    s = v128.load_splat<f32>(a2)
    c20 = multiplyAdd(s, b0, c20)
    a2 += aStep
    s = v128.load_splat<f32>(a3)
    c30 = multiplyAdd(s, b0, c30)
    a3 += aStep
    b += bStep
  } while (--k)
  putPart(out, c00, width, add)
  out += row
  putPart(out, c10, width, add)
  out += row
  putPart(out, c20, width, add)
  out += row
  putPart(out, c30, width, add)
}

/** out[0, 0..32]: one row, as many columns as there are accumulators. */
function direct1x32(a: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0)
  let c04 = f32x4.splat(0), c05 = f32x4.splat(0), c06 = f32x4.splat(0), c07 = f32x4.splat(0)
  do {
    let s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, v128.load(b), c00)
    c01 = multiplyAdd(s, v128.load(b, 16), c01)
    c02 = multiplyAdd(s, v128.load(b, 32), c02)
    c03 = multiplyAdd(s, v128.load(b, 48), c03)
    c04 = multiplyAdd(s, v128.load(b, 64), c04)
    c05 = multiplyAdd(s, v128.load(b, 80), c05)
    c06 = multiplyAdd(s, v128.load(b, 96), c06)
    c07 = multiplyAdd(s, v128.load(b, 112), c07)
    a += aStep
    b += bStep
  } while (--k)
  put(out, c00, add)
  put(out + 16, c01, add)
  put(out + 32, c02, add)
  put(out + 48, c03, add)
  put(out + 64, c04, add)
  put(out + 80, c05, add)
  put(out + 96, c06, add)
  put(out + 112, c07, add)
}

/** out[0, 0..16]: for what a short row has, or a long one has left. */
function direct1x16(a: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0)
  do {
    let s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, v128.load(b), c00)
    c01 = multiplyAdd(s, v128.load(b, 16), c01)
    c02 = multiplyAdd(s, v128.load(b, 32), c02)
    c03 = multiplyAdd(s, v128.load(b, 48), c03)
    a += aStep
    b += bStep
  } while (--k)
  put(out, c00, add)
  put(out + 16, c01, add)
  put(out + 32, c02, add)
  put(out + 48, c03, add)
}

/** out[0, 0..width], width at most 4. */
function direct1(
  a: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, width: i32, add: bool,
): void {
  let c00 = f32x4.splat(0)
  do {
    let s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, loadPart(b, width), c00)
    a += aStep
    b += bStep
  } while (--k)
  putPart(out, c00, width, add)
}

/** Adds (or with add = false leaves) one block of k: out[m, n] = A B with the columns of B side by side. */
export function direct(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  out: usize, m: i32, n: i32, k: i32, add: bool,
): void {
  const row = <usize>n << 2
  for (; m >= 4; m -= 4) {
    let j = 0
    for (; j + 8 <= n; j += 8) {
      direct4x8(a, aRow, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), row, add)
    }
    for (; j < n; j += 4) {
      direct4(a, aRow, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), row, min(4, n - j), add)
    }
    a += aRow << 2
    out += row << 2
  }
  for (; m > 0; m--) {
    let j = 0
    for (; j + 32 <= n; j += 32) {
      direct1x32(a, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), add)
    }
    for (; j + 16 <= n; j += 16) {
      direct1x16(a, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), add)
    }
    for (; j < n; j += 4) {
      direct1(a, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), min(4, n - j), add)
    }
    a += aRow
    out += row
  }
}
