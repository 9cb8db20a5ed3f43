/** Terms summed in float32 before their sum goes into a float64. */
const rowBlock: i32 = 256
const columnBlock: i32 = 64

/**
 * Writes out[outer, inner], the sums of x[outer, n, inner] over n; 0 where n is 0.
 *
 * Blocks are summed in float32 and added up in float64, so the error does not grow with n. The order of the terms
 * depends on n (and on whether inner is 1) alone, not on the column's place.
 */
export function reduceSum(x: usize, out: usize, outer: i32, n: i32, inner: i32): void {
  if (inner == 1) {
    for (let o = 0; o < outer; o++) {
      store<f32>(out, rowSum(x, n))
      x += <usize>n << 2
      out += 4
    }
    return
  }
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    let j = 0
    if (n <= columnBlock) {
      for (; j + 16 <= inner; j += 16) short16(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    } else {
      for (; j + 16 <= inner; j += 16) sum16(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    }
    for (; j + 8 <= inner; j += 8) sum8(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    for (; j < inner; j++) sum1(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    x += block
    out += row
  }
}

function rowSum(x: usize, n: i32): f32 {
  if (n <= rowBlock) return blockSum(x, n)
  let sum: f64 = 0
  for (; n > rowBlock; n -= rowBlock) {
    sum += <f64>blockSum(x, rowBlock)
    x += rowBlock << 2
  }
  return <f32>(sum + <f64>blockSum(x, n))
}

/** At most 256 side by side: eight vectors of partial sums, added as a tree. */
// @ts-ignore: decorator
@inline
function blockSum(x: usize, n: i32): f32 {
  let rest: f32 = 0
  if (n >= 4) {
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    if (n >= 32) {
      let s4 = s0
      let s5 = s0
      let s6 = s0
      let s7 = s0
      do {
        s0 = f32x4.add(s0, v128.load(x))
        s1 = f32x4.add(s1, v128.load(x, 16))
        s2 = f32x4.add(s2, v128.load(x, 32))
        s3 = f32x4.add(s3, v128.load(x, 48))
        s4 = f32x4.add(s4, v128.load(x, 64))
        s5 = f32x4.add(s5, v128.load(x, 80))
        s6 = f32x4.add(s6, v128.load(x, 96))
        s7 = f32x4.add(s7, v128.load(x, 112))
        x += 128
        n -= 32
      } while (n >= 32)
      s0 = f32x4.add(s0, s4)
      s1 = f32x4.add(s1, s5)
      s2 = f32x4.add(s2, s6)
      s3 = f32x4.add(s3, s7)
    }
    for (; n >= 4; n -= 4) {
      s0 = f32x4.add(s0, v128.load(x))
      x += 16
    }
    const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))
    rest =
      f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 2) + (f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 3))
  }
  for (; n > 0; n--) {
    rest += load<f32>(x)
    x += 4
  }
  return rest
}

/** Sixteen columns of at most 64 rows: even and odd rows apart. */
function short16(x: usize, row: usize, n: i32, out: usize): void {
  let e0 = f32x4.splat(0)
  let e1 = e0
  let e2 = e0
  let e3 = e0
  let o0 = e0
  let o1 = e0
  let o2 = e0
  let o3 = e0
  for (; n >= 2; n -= 2) {
    e0 = f32x4.add(e0, v128.load(x))
    e1 = f32x4.add(e1, v128.load(x, 16))
    e2 = f32x4.add(e2, v128.load(x, 32))
    e3 = f32x4.add(e3, v128.load(x, 48))
    x += row
    o0 = f32x4.add(o0, v128.load(x))
    o1 = f32x4.add(o1, v128.load(x, 16))
    o2 = f32x4.add(o2, v128.load(x, 32))
    o3 = f32x4.add(o3, v128.load(x, 48))
    x += row
  }
  if (n > 0) {
    e0 = f32x4.add(e0, v128.load(x))
    e1 = f32x4.add(e1, v128.load(x, 16))
    e2 = f32x4.add(e2, v128.load(x, 32))
    e3 = f32x4.add(e3, v128.load(x, 48))
  }
  v128.store(out, f32x4.add(e0, o0))
  v128.store(out, f32x4.add(e1, o1), 16)
  v128.store(out, f32x4.add(e2, o2), 32)
  v128.store(out, f32x4.add(e3, o3), 48)
}

/** Sixteen columns, a cache line of each row: blocks of 64 rows, even and odd rows apart, added up in float64. */
function sum16(x: usize, row: usize, n: i32, out: usize): void {
  let t0 = f64x2.splat(0)
  let t1 = t0
  let t2 = t0
  let t3 = t0
  let t4 = t0
  let t5 = t0
  let t6 = t0
  let t7 = t0
  do {
    let e0 = f32x4.splat(0)
    let e1 = e0
    let e2 = e0
    let e3 = e0
    let o0 = e0
    let o1 = e0
    let o2 = e0
    let o3 = e0
    let count = min(n, columnBlock)
    n -= count
    for (; count >= 2; count -= 2) {
      e0 = f32x4.add(e0, v128.load(x))
      e1 = f32x4.add(e1, v128.load(x, 16))
      e2 = f32x4.add(e2, v128.load(x, 32))
      e3 = f32x4.add(e3, v128.load(x, 48))
      x += row
      o0 = f32x4.add(o0, v128.load(x))
      o1 = f32x4.add(o1, v128.load(x, 16))
      o2 = f32x4.add(o2, v128.load(x, 32))
      o3 = f32x4.add(o3, v128.load(x, 48))
      x += row
    }
    if (count > 0) {
      e0 = f32x4.add(e0, v128.load(x))
      e1 = f32x4.add(e1, v128.load(x, 16))
      e2 = f32x4.add(e2, v128.load(x, 32))
      e3 = f32x4.add(e3, v128.load(x, 48))
    }
    e0 = f32x4.add(e0, o0)
    e1 = f32x4.add(e1, o1)
    e2 = f32x4.add(e2, o2)
    e3 = f32x4.add(e3, o3)
    t0 = f64x2.add(t0, f64x2.promote_low_f32x4(e0))
    t1 = f64x2.add(t1, f64x2.promote_low_f32x4(v128.shuffle<i64>(e0, e0, 1, 1)))
    t2 = f64x2.add(t2, f64x2.promote_low_f32x4(e1))
    t3 = f64x2.add(t3, f64x2.promote_low_f32x4(v128.shuffle<i64>(e1, e1, 1, 1)))
    t4 = f64x2.add(t4, f64x2.promote_low_f32x4(e2))
    t5 = f64x2.add(t5, f64x2.promote_low_f32x4(v128.shuffle<i64>(e2, e2, 1, 1)))
    t6 = f64x2.add(t6, f64x2.promote_low_f32x4(e3))
    t7 = f64x2.add(t7, f64x2.promote_low_f32x4(v128.shuffle<i64>(e3, e3, 1, 1)))
  } while (n > 0)
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t0), f32x4.demote_f64x2_zero(t1), 0, 2))
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t2), f32x4.demote_f64x2_zero(t3), 0, 2), 16)
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t4), f32x4.demote_f64x2_zero(t5), 0, 2), 32)
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t6), f32x4.demote_f64x2_zero(t7), 0, 2), 48)
}

/** Eight columns in the same order. */
function sum8(x: usize, row: usize, n: i32, out: usize): void {
  let t0 = f64x2.splat(0)
  let t1 = t0
  let t2 = t0
  let t3 = t0
  do {
    let e0 = f32x4.splat(0)
    let e1 = e0
    let o0 = e0
    let o1 = e0
    let count = min(n, columnBlock)
    n -= count
    for (; count >= 2; count -= 2) {
      e0 = f32x4.add(e0, v128.load(x))
      e1 = f32x4.add(e1, v128.load(x, 16))
      x += row
      o0 = f32x4.add(o0, v128.load(x))
      o1 = f32x4.add(o1, v128.load(x, 16))
      x += row
    }
    if (count > 0) {
      e0 = f32x4.add(e0, v128.load(x))
      e1 = f32x4.add(e1, v128.load(x, 16))
    }
    e0 = f32x4.add(e0, o0)
    e1 = f32x4.add(e1, o1)
    t0 = f64x2.add(t0, f64x2.promote_low_f32x4(e0))
    t1 = f64x2.add(t1, f64x2.promote_low_f32x4(v128.shuffle<i64>(e0, e0, 1, 1)))
    t2 = f64x2.add(t2, f64x2.promote_low_f32x4(e1))
    t3 = f64x2.add(t3, f64x2.promote_low_f32x4(v128.shuffle<i64>(e1, e1, 1, 1)))
  } while (n > 0)
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t0), f32x4.demote_f64x2_zero(t1), 0, 2))
  v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(t2), f32x4.demote_f64x2_zero(t3), 0, 2), 16)
}

/** One column in the same order. */
function sum1(x: usize, row: usize, n: i32, out: usize): void {
  let total: f64 = 0
  do {
    let even: f32 = 0
    let odd: f32 = 0
    let count = min(n, columnBlock)
    n -= count
    for (; count >= 2; count -= 2) {
      even += load<f32>(x)
      odd += load<f32>(x + row)
      x += row << 1
    }
    if (count > 0) even += load<f32>(x)
    total += <f64>(even + odd)
  } while (n > 0)
  store<f32>(out, <f32>total)
}
