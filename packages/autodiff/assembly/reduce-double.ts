import { addedLanes, high, low, narrow } from './double'
import { loadPart, putPart } from './vector-part'

/**
 * Writes out[outer, inner], the products of x[outer, n, inner] over n; 1 where n is 0. In float64, so that what is too large or
 * too small on the way may come back; rows in four chains, columns from the first to the last.
 */
export function reduceProduct(x: usize, out: usize, outer: i32, n: i32, inner: i32): void {
  const row = <usize>inner << 2
  for (let o = 0; o < outer; o++) {
    let j = 0
    if (inner == 1) {
      store<f32>(out, <f32>rowProduct(x, n))
      j = 1
    }
    for (; j + 4 <= inner; j += 4) {
      let at = x + (<usize>j << 2)
      let p0 = f64x2.splat(1)
      let p1 = p0
      for (let i = 0; i < n; i++) {
        const v = v128.load(at)
        p0 = f64x2.mul(p0, low(v))
        p1 = f64x2.mul(p1, high(v))
        at += row
      }
      v128.store(out + (<usize>j << 2), narrow(p0, p1))
    }
    for (; j < inner; j++) {
      let at = x + (<usize>j << 2)
      let p: f64 = 1
      for (let i = 0; i < n; i++) {
        p *= <f64>load<f32>(at)
        at += row
      }
      store<f32>(out + (<usize>j << 2), <f32>p)
    }
    x += <usize>n * row
    out += row
  }
}

function rowProduct(x: usize, n: i32): f64 {
  let p0 = f64x2.splat(1)
  let p1 = p0
  for (; n >= 4; n -= 4) {
    const v = v128.load(x)
    p0 = f64x2.mul(p0, low(v))
    p1 = f64x2.mul(p1, high(v))
    x += 16
  }
  const p = f64x2.mul(p0, p1)
  let product = f64x2.extract_lane(p, 0) * f64x2.extract_lane(p, 1)
  for (; n > 0; n--) {
    product *= <f64>load<f32>(x)
    x += 4
  }
  return product
}

/** Columns that are worked on together, as in `softmaxColumns`. */
const width: i32 = 1024

/**
 * Writes out[outer, inner], the sums of squares of x[outer, n, inner] over n, divided by `divisor`: of what is left when the mean
 * is taken away where `centred`, and the square root of that where `root`. All in float64: neither overflows on the way,
 * nor cancels.
 *
 * @param scratch 16 bytes for each column, of 4 to 1024 of them; none where inner is 1
 */
export function reduceSquares(
  x: usize, out: usize, outer: i32, n: i32, inner: i32, centred: bool, divisor: f64, root: bool, scratch: usize,
): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      const s = (centred ? rowTotal(x, n, rowTotal(x, n, 0, false, false) / <f64>n, true, true) : rowTotal(x, n, 0, false, true)) / divisor
      store<f32>(out, <f32>(root ? sqrt(s) : s))
    } else {
      for (let j = 0; j < inner; j += width) {
        const at = <usize>j << 2
        squaresOfColumns(x + at, out + at, row, block, <f64>n, min(width, inner - j), centred, divisor, root, scratch)
      }
    }
    x += block
    out += row
  }
}

function squaresOfColumns(
  x: usize, out: usize, row: usize, block: usize, n: f64, count: i32, centred: bool, divisor: f64, root: bool, means: usize,
): void {
  const bytes = <usize>((count + 3) & ~3) << 3
  const sums = means + bytes
  memory.fill(means, 0, bytes << 1)
  if (centred) {
    addRows(x, row, block, count, sums, means, false)
    for (let at = means; at < sums; at += 16) v128.store(at, f64x2.div(v128.load(at), f64x2.splat(n)))
  }
  addRows(x, row, block, count, means, sums, true)
  for (let j = 0; j < count; j += 4) {
    const at = sums + (<usize>j << 3)
    let s0 = f64x2.div(v128.load(at), f64x2.splat(divisor))
    let s1 = f64x2.div(v128.load(at, 16), f64x2.splat(divisor))
    if (root) {
      s0 = f64x2.sqrt(s0)
      s1 = f64x2.sqrt(s1)
    }
    putPart(out + (<usize>j << 2), narrow(s0, s1), count - j, false)
  }
}

/** Adds x - from, or its square, of each row to a row of doubles. */
function addRows(x: usize, row: usize, block: usize, count: i32, from: usize, into: usize, squared: bool): void {
  for (const end = x + block; x < end; x += row) {
    for (let j = 0; j < count; j += 4) {
      const at = <usize>j << 3
      const v = loadPart(x + (at >> 1), count - j)
      const d0 = f64x2.sub(low(v), v128.load(from + at))
      const d1 = f64x2.sub(high(v), v128.load(from + at, 16))
      v128.store(into + at, f64x2.add(v128.load(into + at), squared ? f64x2.mul(d0, d0) : d0))
      v128.store(into + at, f64x2.add(v128.load(into + at, 16), squared ? f64x2.mul(d1, d1) : d1), 16)
    }
  }
}

/** The sum along a row of x, or of x - from where `shifted`, or of the squares: in chains, since an addition takes longer than to start one. */
// @ts-ignore: decorator
@inline
function rowTotal(x: usize, n: i32, from: f64, shifted: bool, squared: bool): f64 {
  const mean = f64x2.splat(from)
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  for (; n >= 8; n -= 8) {
    const v = v128.load(x)
    const w = v128.load(x, 16)
    s0 = f64x2.add(s0, term(low(v), mean, shifted, squared))
    s1 = f64x2.add(s1, term(high(v), mean, shifted, squared))
    s2 = f64x2.add(s2, term(low(w), mean, shifted, squared))
    s3 = f64x2.add(s3, term(high(w), mean, shifted, squared))
    x += 32
  }
  let total = addedLanes(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)))
  for (; n > 0; n--) {
    const d = <f64>load<f32>(x) - from
    total += squared ? d * d : d
    x += 4
  }
  return total
}

// @ts-ignore: decorator
@inline
function term(x: v128, from: v128, shifted: bool, squared: bool): v128 {
  const d = shifted ? f64x2.sub(x, from) : x
  return squared ? f64x2.mul(d, d) : d
}
