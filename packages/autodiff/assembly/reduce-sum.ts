import { high, low, narrow } from './double'

/** Terms summed in float32 before their sum goes into a float64. */
const rowBlock: i32 = 256
const columnBlock: i32 = 64
/** Rows of a block whose even and whose odd ones are summed in one go; a block's runs are then added. */
const run: i32 = 16

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
    for (; j + 16 <= inner; j += 16) sum16(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    for (; j + 4 <= inner; j += 4) sum4(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    for (; j < inner; j++) sum1(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    x += block
    out += row
  }
}

export function rowSum(x: usize, n: i32): f32 {
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

/** Sixteen columns, a cache line of each row: out holds the sums of a block until they are added up in float64. */
function sum16(x: usize, row: usize, n: i32, out: usize): void {
  block16(x, row, min(n, columnBlock), out)
  if (n <= columnBlock) return
  let t0 = low(v128.load(out))
  let t1 = high(v128.load(out))
  let t2 = low(v128.load(out, 16))
  let t3 = high(v128.load(out, 16))
  let t4 = low(v128.load(out, 32))
  let t5 = high(v128.load(out, 32))
  let t6 = low(v128.load(out, 48))
  let t7 = high(v128.load(out, 48))
  for (n -= columnBlock; n > 0; n -= columnBlock) {
    x += row * columnBlock
    block16(x, row, min(n, columnBlock), out)
    t0 = f64x2.add(t0, low(v128.load(out)))
    t1 = f64x2.add(t1, high(v128.load(out)))
    t2 = f64x2.add(t2, low(v128.load(out, 16)))
    t3 = f64x2.add(t3, high(v128.load(out, 16)))
    t4 = f64x2.add(t4, low(v128.load(out, 32)))
    t5 = f64x2.add(t5, high(v128.load(out, 32)))
    t6 = f64x2.add(t6, low(v128.load(out, 48)))
    t7 = f64x2.add(t7, high(v128.load(out, 48)))
  }
  v128.store(out, narrow(t0, t1))
  v128.store(out, narrow(t2, t3), 16)
  v128.store(out, narrow(t4, t5), 32)
  v128.store(out, narrow(t6, t7), 48)
}

/** Sixteen columns of at most 64 rows, in float32. */
function block16(x: usize, row: usize, n: i32, out: usize): void {
  let s0 = f32x4.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  while (n > 0) {
    let e0 = f32x4.splat(0)
    let e1 = e0
    let e2 = e0
    let e3 = e0
    let o0 = e0
    let o1 = e0
    let o2 = e0
    let o3 = e0
    let count = min(n, run)
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
    s0 = f32x4.add(s0, f32x4.add(e0, o0))
    s1 = f32x4.add(s1, f32x4.add(e1, o1))
    s2 = f32x4.add(s2, f32x4.add(e2, o2))
    s3 = f32x4.add(s3, f32x4.add(e3, o3))
  }
  v128.store(out, s0)
  v128.store(out, s1, 16)
  v128.store(out, s2, 32)
  v128.store(out, s3, 48)
}

/** Four columns in the same order. */
function sum4(x: usize, row: usize, n: i32, out: usize): void {
  block4(x, row, min(n, columnBlock), out)
  if (n <= columnBlock) return
  let t0 = low(v128.load(out))
  let t1 = high(v128.load(out))
  for (n -= columnBlock; n > 0; n -= columnBlock) {
    x += row * columnBlock
    block4(x, row, min(n, columnBlock), out)
    t0 = f64x2.add(t0, low(v128.load(out)))
    t1 = f64x2.add(t1, high(v128.load(out)))
  }
  v128.store(out, narrow(t0, t1))
}

/** Four columns of at most 64 rows. */
function block4(x: usize, row: usize, n: i32, out: usize): void {
  let s0 = f32x4.splat(0)
  while (n > 0) {
    let e0 = f32x4.splat(0)
    let o0 = e0
    let count = min(n, run)
    n -= count
    for (; count >= 2; count -= 2) {
      e0 = f32x4.add(e0, v128.load(x))
      x += row
      o0 = f32x4.add(o0, v128.load(x))
      x += row
    }
    if (count > 0) {
      e0 = f32x4.add(e0, v128.load(x))
    }
    s0 = f32x4.add(s0, f32x4.add(e0, o0))
  }
  v128.store(out, s0)
}

/** One column in the same order. */
function sum1(x: usize, row: usize, n: i32, out: usize): void {
  let total: f64 = 0
  while (n > 0) {
    let block: f32 = 0
    let rows = min(n, columnBlock)
    n -= rows
    while (rows > 0) {
      let even: f32 = 0
      let odd: f32 = 0
      let count = min(rows, run)
      rows -= count
      for (; count >= 2; count -= 2) {
        even += load<f32>(x)
        odd += load<f32>(x + row)
        x += row << 1
      }
      if (count > 0) {
        even += load<f32>(x)
        x += row
      }
      block += even + odd
    }
    total += <f64>block
  }
  store<f32>(out, <f32>total)
}
