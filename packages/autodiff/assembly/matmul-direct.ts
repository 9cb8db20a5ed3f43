/**
 * Matrix products straight from the operands, for shapes where packing or a call more would cost as much
 * as the arithmetic. Every element is summed in increasing k from zero, as the packed tiles do: the same bits.
 *
 * Names: A[i, p] is at a + i aRow + p aStep. `direct` has the columns of B side by side (B[p, j] at
 * b + p bStep + 4 j); `across` has k side by side (B[p, j] at b + 4 p + j bColumn) and transposes 4x4 blocks on the way.
 */

// @ts-ignore: decorator
@inline
function loadPart(at: usize, width: i32): v128 {
  if (width >= 4) return v128.load(at)
  if (width == 1) return v128.load_zero<f32>(at)
  const pair = v128.load_zero<f64>(at)
  return width == 2 ? pair : v128.load_lane<f32>(at, pair, 2, 8)
}

// @ts-ignore: decorator
@inline
function put(at: usize, value: v128, add: bool): void {
  v128.store(at, add ? f32x4.add(v128.load(at), value) : value)
}

// @ts-ignore: decorator
@inline
function putPart(at: usize, value: v128, width: i32, add: bool): void {
  const sum = add ? f32x4.add(loadPart(at, width), value) : value
  if (width >= 4) v128.store(at, sum)
  else if (width == 1) v128.store_lane<f32>(at, sum, 0)
  else {
    v128.store_lane<f64>(at, sum, 0)
    if (width == 3) v128.store_lane<f32>(at, sum, 2, 8)
  }
}

/** out[0..4, 0..8] */
function direct4x8(a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, row: usize, add: bool): void {
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
    c00 = f32x4.add(c00, f32x4.mul(s, b0))
    c01 = f32x4.add(c01, f32x4.mul(s, b1))
    a += aStep
    s = v128.load_splat<f32>(a1)
    c10 = f32x4.add(c10, f32x4.mul(s, b0))
    c11 = f32x4.add(c11, f32x4.mul(s, b1))
    a1 += aStep
    s = v128.load_splat<f32>(a2)
    c20 = f32x4.add(c20, f32x4.mul(s, b0))
    c21 = f32x4.add(c21, f32x4.mul(s, b1))
    a2 += aStep
    s = v128.load_splat<f32>(a3)
    c30 = f32x4.add(c30, f32x4.mul(s, b0))
    c31 = f32x4.add(c31, f32x4.mul(s, b1))
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
function direct4(a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, row: usize, width: i32, add: bool): void {
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
    c00 = f32x4.add(c00, f32x4.mul(s, b0))
    a += aStep
    s = v128.load_splat<f32>(a1)
    c10 = f32x4.add(c10, f32x4.mul(s, b0))
    a1 += aStep
    s = v128.load_splat<f32>(a2)
    c20 = f32x4.add(c20, f32x4.mul(s, b0))
    a2 += aStep
    s = v128.load_splat<f32>(a3)
    c30 = f32x4.add(c30, f32x4.mul(s, b0))
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
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0), c04 = f32x4.splat(0), c05 = f32x4.splat(0), c06 = f32x4.splat(0), c07 = f32x4.splat(0)
  do {
    let s = v128.load_splat<f32>(a)
    c00 = f32x4.add(c00, f32x4.mul(s, v128.load(b)))
    c01 = f32x4.add(c01, f32x4.mul(s, v128.load(b, 16)))
    c02 = f32x4.add(c02, f32x4.mul(s, v128.load(b, 32)))
    c03 = f32x4.add(c03, f32x4.mul(s, v128.load(b, 48)))
    c04 = f32x4.add(c04, f32x4.mul(s, v128.load(b, 64)))
    c05 = f32x4.add(c05, f32x4.mul(s, v128.load(b, 80)))
    c06 = f32x4.add(c06, f32x4.mul(s, v128.load(b, 96)))
    c07 = f32x4.add(c07, f32x4.mul(s, v128.load(b, 112)))
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

/** out[0, 0..width], width at most 4. */
function direct1(a: usize, aStep: usize, b: usize, bStep: usize, k: i32, out: usize, width: i32, add: bool): void {
  let c00 = f32x4.splat(0)
  do {
    let s = v128.load_splat<f32>(a)
    c00 = f32x4.add(c00, f32x4.mul(s, loadPart(b, width)))
    a += aStep
    b += bStep
  } while (--k)
  putPart(out, c00, width, add)
}

// @ts-ignore: decorator
@inline
function madd(sum: v128, a: usize, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(a), b))
}

// @ts-ignore: decorator
@inline
function gather(b: usize, b1: usize, b2: usize, b3: usize): v128 {
  const pair = v128.load_lane<f32>(b1, v128.load_zero<f32>(b), 1)
  return v128.load_lane<f32>(b3, v128.load_lane<f32>(b2, pair, 2), 3)
}

/** out[0..4, 0..width], width at most 4. */
function across4(a: usize, aRow: usize, aStep: usize, b: usize, bColumn: usize, k: i32, out: usize, row: usize, width: i32, add: bool): void {
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
function across1(a: usize, aStep: usize, b: usize, bColumn: usize, k: i32, out: usize, width: i32, add: bool): void {
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

/** Adds (or with add = false leaves) one block of k: out[m, n] = A B with the columns of B side by side. */
export function direct(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, out: usize, m: i32, n: i32, k: i32, add: bool,
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
    for (; j < n; j += 4) {
      direct1(a, aStep, b + (<usize>j << 2), bStep, k, out + (<usize>j << 2), min(4, n - j), add)
    }
    a += aRow
    out += row
  }
}

/** The same with k side by side in B. */
export function across(
  a: usize, aRow: usize, aStep: usize, b: usize, bColumn: usize, out: usize, m: i32, n: i32, k: i32, add: bool,
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
