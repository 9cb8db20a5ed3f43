import { high, low, narrow } from './double'
import { loadPart, putPart } from './vector-part'

/** Terms summed in float32 before their sum goes into a float64. */
const rowBlock: i32 = 256
const columnBlock: i32 = 64
/** Rows of a block whose even and whose odd ones are summed in one go; a block's runs are then added. */
const run: i32 = 16

/** Columns that are worked on together, as in `softmaxColumns`. */
const width: i32 = 1024

/**
 * Writes out[outer, inner], the sums of x[outer, n, inner] over n; 0 where n is 0.
 *
 * Blocks are summed in float32 and added up in float64, so the error does not grow with n. The order of the terms
 * depends on n (and on whether inner is 1) alone, not on the column's place.
 *
 * @param scratch 8 bytes for each column, of 4 to 1024 of them; none where inner is 1 or n at most 64
 */
export function reduceSum(x: usize, out: usize, outer: i32, n: i32, inner: i32, scratch: usize): void {
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
    for (let j = 0; j < inner; j += width) {
      const at = <usize>j << 2
      columnSums(x + at, row, n, min(width, inner - j), out + at, scratch)
    }
    x += block
    out += row
  }
}

/** Sums columns by blocks, all columns of one before the next: out holds the sums of a block, `totals` those so far in float64. */
function columnSums(x: usize, row: usize, n: i32, count: i32, out: usize, totals: usize): void {
  blockSums(x, row, min(n, columnBlock), count, out)
  if (n <= columnBlock) return
  memory.fill(totals, 0, <usize>((count + 3) & ~3) << 3)
  addBlock(out, count, totals)
  for (n -= columnBlock; n > 0; n -= columnBlock) {
    x += row * columnBlock
    blockSums(x, row, min(n, columnBlock), count, out)
    addBlock(out, count, totals)
  }
  for (let j = 0; j < count; j += 4) {
    const at = totals + (<usize>j << 3)
    putPart(out + (<usize>j << 2), narrow(v128.load(at), v128.load(at, 16)), count - j, false)
  }
}

function addBlock(sums: usize, count: i32, totals: usize): void {
  for (let j = 0; j < count; j += 4) {
    const v = loadPart(sums + (<usize>j << 2), count - j)
    const at = totals + (<usize>j << 3)
    v128.store(at, f64x2.add(v128.load(at), low(v)))
    v128.store(at, f64x2.add(v128.load(at, 16), high(v)), 16)
  }
}

/** Columns of at most 64 rows, in float32. */
function blockSums(x: usize, row: usize, n: i32, count: i32, out: usize): void {
  let j = 0
  for (; j + 16 <= count; j += 16) block16(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
  for (; j + 4 <= count; j += 4) block4(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
  for (; j < count; j++) block1(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
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

/** Sixteen of them, a cache line of each row. */
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

/** Four, in the same order. */
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

/** One, in the same order. */
function block1(x: usize, row: usize, n: i32, out: usize): void {
  let block: f32 = 0
  while (n > 0) {
    let even: f32 = 0
    let odd: f32 = 0
    let count = min(n, run)
    n -= count
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
  store<f32>(out, block)
}

/** Divides n numbers by `by`. */
export function divide(at: usize, n: i32, by: f32): void {
  for (; n >= 4; n -= 4) {
    v128.store(at, f32x4.div(v128.load(at), f32x4.splat(by)))
    at += 16
  }
  for (; n > 0; n--) {
    store<f32>(at, load<f32>(at) / by)
    at += 4
  }
}
