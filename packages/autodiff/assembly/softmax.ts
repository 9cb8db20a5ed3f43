import { addedLanes, high, low, narrow } from './double'
import { exp4, isLow, log, mantissa, scaleLow, shiftOf } from './exp'
import { rowMax } from './reduce-max'
import { loadPart, putPart } from './vector-part'

/** What rounding takes from d = x - m (Knuth's two-sum): exp would else be off by up to |d| / 2 ulps. */
// @ts-ignore: decorator
@inline
function lost(x: v128, m: v128, d: v128): v128 {
  const back = f32x4.sub(d, x)
  return f32x4.sub(f32x4.sub(x, f32x4.sub(d, back)), f32x4.add(m, back))
}

/** exp(x - m) of the exact difference. */
// @ts-ignore: decorator
@inline
function expDifference(x: v128, m: v128): v128 {
  const d = f32x4.sub(x, m)
  return exp4(d, lost(x, m, d))
}

// @ts-ignore: decorator
@inline
function loadTail(x: usize, count: i32): v128 {
  const pair = v128.load_splat<f32>(x)
  if (count == 1) return pair
  const more = v128.load_lane<f32>(x, pair, 1, 4)
  return count == 2 ? more : v128.load_lane<f32>(x, more, 2, 8)
}

// @ts-ignore: decorator
@inline
function storeTail(out: usize, value: v128, count: i32): void {
  v128.store_lane<f32>(out, value, 0)
  if (count > 1) v128.store_lane<f32>(out, value, 1, 4)
  if (count > 2) v128.store_lane<f32>(out, value, 2, 8)
}

/** Keeps the first `count` lanes, zeros the others. */
// @ts-ignore: decorator
@inline
export function keep(value: v128, count: i32): v128 {
  return v128.and(value, i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)))
}

/** The sum of exp(x - m) over a row, in float64: log keeps what the terms beside the largest add to 1. */
export function sumOfExp(x: usize, n: i32, m: f32): f64 {
  const mm = f32x4.splat(m)
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (; n >= 4; n -= 4) {
    const e = expDifference(v128.load(x), mm)
    s0 = f64x2.add(s0, low(e))
    s1 = f64x2.add(s1, high(e))
    x += 16
  }
  if (n > 0) {
    const e = keep(expDifference(loadTail(x, n), mm), n)
    s0 = f64x2.add(s0, low(e))
    s1 = f64x2.add(s1, high(e))
  }
  return addedLanes(f64x2.add(s0, s1))
}

/** Elements whose exponentials are added up in float32, before their sum goes into a float64. */
const expBlock: i32 = 64

/** Writes exp(x - m) of a row, and returns the sum; eight at a time, which share the look for small ones. */
export function storeExp(x: usize, n: i32, m: f32, out: usize): f64 {
  const mm = f32x4.splat(m)
  let total: f64 = 0
  while (n >= 8) {
    const end = x + (<usize>(min(n, expBlock) & ~7) << 2)
    n -= <i32>((end - x) >> 2)
    let s0 = f32x4.splat(0)
    let s1 = s0
    do {
      const x0 = v128.load(x)
      const x1 = v128.load(x, 16)
      const d0 = f32x4.sub(x0, mm)
      const d1 = f32x4.sub(x1, mm)
      const i0 = shiftOf(d0)
      const i1 = shiftOf(d1)
      let e0 = mantissa(d0, lost(x0, mm, d0), i0)
      let e1 = mantissa(d1, lost(x1, mm, d1), i1)
      // A NaN would hide the other one, but where one is all are.
      if (isLow(f32x4.pmin(d0, d1))) {
        e0 = scaleLow(d0, e0, i0)
        e1 = scaleLow(d1, e1, i1)
      } else {
        e0 = f32x4.mul(e0, i32x4.shl(i0, 23))
        e1 = f32x4.mul(e1, i32x4.shl(i1, 23))
      }
      v128.store(out, e0)
      v128.store(out, e1, 16)
      s0 = f32x4.add(s0, e0)
      s1 = f32x4.add(s1, e1)
      x += 32
      out += 32
    } while (x != end)
    const s = f32x4.add(s0, s1)
    total += addedLanes(f64x2.add(low(s), high(s)))
  }
  if (n >= 4) {
    const e = expDifference(v128.load(x), mm)
    v128.store(out, e)
    total += addedLanes(f64x2.add(low(e), high(e)))
    x += 16
    out += 16
    n -= 4
  }
  if (n > 0) {
    const e = keep(expDifference(loadTail(x, n), mm), n)
    storeTail(out, e, n)
    total += addedLanes(f64x2.add(low(e), high(e)))
  }
  return total
}

/**
 * out[rows, n] = exp(x - max) / sum exp(x - max) of each row. A row with NaN or Infinity, or of -Infinity
 * alone, is NaN throughout, as in IEEE arithmetic. x and out may be the same.
 */
export function softmax(x: usize, out: usize, rows: i32, n: i32): void {
  if (n <= 0) return
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const inverse = <f32>(1 / storeExp(x, n, rowMax(x, n, 0), out))
    const scale = f32x4.splat(inverse)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const at = out + (<usize>i << 2)
      v128.store(at, f32x4.mul(v128.load(at), scale))
    }
    for (; i < n; i++) {
      const at = out + (<usize>i << 2)
      store<f32>(at, load<f32>(at) * inverse)
    }
    x += row
    out += row
  }
}

/** out[rows, n] = x - max - log sum exp(x - max) of each row; x and out may be the same. */
export function logSoftmax(x: usize, out: usize, rows: i32, n: i32): void {
  if (n <= 0) return
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const m = rowMax(x, n, 0)
    const mm = f32x4.splat(m)
    const l = <f32>logOrNaN(sumOfExp(x, n, m))
    const ll = f32x4.splat(l)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2
      v128.store(out + at, f32x4.sub(f32x4.sub(v128.load(x + at), mm), ll))
    }
    for (; i < n; i++) {
      const at = <usize>i << 2
      store<f32>(out + at, load<f32>(x + at) - m - l)
    }
    x += row
    out += row
  }
}

/**
 * out[rows] = log sum exp(x) of each row, off by at most an ulp of max(1, |result|): Infinity where the row
 * has it and no NaN, -Infinity for an empty row or one of nothing else.
 */
export function logSumExp(x: usize, out: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    let value = -Infinity as f32
    if (n > 0) {
      const m = rowMax(x, n, 0)
      // x - m is NaN at an infinite m; the sum is that m itself. NaN takes the ordinary way.
      value = m == Infinity || m == -Infinity ? m : <f32>(<f64>m + logOrNaN(sumOfExp(x, n, m)))
    }
    store<f32>(out, value)
    x += row
    out += 4
  }
}

// @ts-ignore: decorator
@inline
function logOrNaN(x: f64): f64 {
  return x == x ? log(x) : x
}

/** What comes out of `softmaxColumns`. */
const kindLogarithm: i32 = 1
const kindTotal: i32 = 2

/** Columns that are worked on together: a page of each row, so that rows a power of two apart do not drive each other out. */
const width: i32 = 1024

/**
 * The same three along n of x[outer, n, inner], with four columns in a vector: softmax (kind 0) and its logarithm (1), of the shape
 * of x, and log sum exp (2), [outer, inner]. x and out may be the same but for the last.
 *
 * @param scratch 12 bytes for each column, of 4 to 1024 of them: the largest and the sums
 */
export function softmaxColumns(
  x: usize, out: usize, outer: i32, n: i32, inner: i32, kind: i32, scratch: usize,
): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j += width) {
      const at = <usize>j << 2
      columns(x + at, out + at, row, block, min(width, inner - j), kind, scratch)
    }
    x += block
    out += kind == kindTotal ? row : block
  }
}

function columns(x: usize, out: usize, row: usize, block: usize, count: i32, kind: i32, most: usize): void {
  const bytes = <usize>((count + 3) & ~3) << 2
  const sums = most + bytes
  memory.fill(sums, 0, bytes << 1)
  for (let j: usize = 0; j < bytes; j += 16) v128.store(most + j, f32x4.splat(-Infinity))
  for (let at: usize = 0; at < block; at += row) {
    for (let j = 0; j < count; j += 4) {
      const to = most + (<usize>j << 2)
      const m = v128.load(to)
      const v = loadPart(x + at + (<usize>j << 2), count - j)
      // NaN reaches the others through the sum, but not past an infinite largest.
      v128.store(to, kind == kindTotal ? f32x4.max(m, v) : f32x4.pmax(m, v))
    }
  }
  for (let at: usize = 0; at < block; at += row) {
    for (let j = 0; j < count; j += 4) {
      const place = <usize>j << 2
      const e = expDifference(loadPart(x + at + place, count - j), v128.load(most + place))
      if (kind == 0) putPart(out + at + place, e, count - j, false)
      const to = sums + (place << 1)
      v128.store(to, f64x2.add(v128.load(to), low(e)))
      v128.store(to, f64x2.add(v128.load(to, 16), high(e)), 16)
    }
  }
  // What is left to do with every element: a factor, or a logarithm to take away, where the sums were.
  for (let j = 0; j < count; j += 4) {
    const place = <usize>j << 2
    const to = sums + (place << 1)
    let s0 = v128.load(to)
    let s1 = v128.load(to, 16)
    if (kind == 0) {
      const one = f64x2.splat(1)
      v128.store(sums + place, narrow(f64x2.div(one, s0), f64x2.div(one, s1)))
      continue
    }
    s0 = f64x2(logOrNaN(f64x2.extract_lane(s0, 0)), logOrNaN(f64x2.extract_lane(s0, 1)))
    s1 = f64x2(logOrNaN(f64x2.extract_lane(s1, 0)), logOrNaN(f64x2.extract_lane(s1, 1)))
    if (kind == kindLogarithm) {
      v128.store(sums + place, narrow(s0, s1))
      continue
    }
    const m = v128.load(most + place)
    const total = narrow(f64x2.add(low(m), s0), f64x2.add(high(m), s1))
    // As in a row: an infinite largest is the sum itself.
    const isInfinite = f32x4.eq(f32x4.abs(m), f32x4.splat(Infinity))
    putPart(out + place, v128.bitselect(m, total, isInfinite), count - j, false)
  }
  if (kind == kindTotal) return
  for (let at: usize = 0; at < block; at += row) {
    for (let j = 0; j < count; j += 4) {
      const place = <usize>j << 2
      const left = v128.load(sums + place)
      const value = kind == 0
        ? f32x4.mul(loadPart(out + at + place, count - j), left)
        : f32x4.sub(f32x4.sub(loadPart(x + at + place, count - j), v128.load(most + place)), left)
      putPart(out + at + place, value, count - j, false)
    }
  }
}
