import { addedLanes, high, low, narrow } from './double'
import { exp4, log } from './exp'
import { rowMax } from './reduce-max'
import { loadPart } from './vector-part'

/**
 * exp(x - m) of the exact difference: what rounding takes from x - m (Knuth's two-sum) goes into exp, which
 * would else be off by up to |x - m| / 2 ulps.
 */
// @ts-ignore: decorator
@inline
function expDifference(x: v128, m: v128): v128 {
  const d = f32x4.sub(x, m)
  const back = f32x4.sub(d, x)
  return exp4(d, f32x4.sub(f32x4.sub(x, f32x4.sub(d, back)), f32x4.add(m, back)))
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
function keep(value: v128, count: i32): v128 {
  return v128.and(value, i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)))
}

/**
 * The sum of exp(x - m) over a row, in float64: log keeps what the terms beside the largest add to 1.
 *
 * @param out where the exponentials go, or 0 for nowhere
 */
// @ts-ignore: decorator
@inline
function sumOfExp(x: usize, n: i32, m: f32, out: usize, stores: bool): f64 {
  const mm = f32x4.splat(m)
  let s0 = f64x2.splat(0)
  let s1 = s0
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2
    const e = expDifference(v128.load(x + at), mm)
    if (stores) v128.store(out + at, e)
    s0 = f64x2.add(s0, low(e))
    s1 = f64x2.add(s1, high(e))
  }
  if (i < n) {
    const at = <usize>i << 2
    const e = keep(expDifference(loadTail(x + at, n - i), mm), n - i)
    if (stores) storeTail(out + at, e, n - i)
    s0 = f64x2.add(s0, low(e))
    s1 = f64x2.add(s1, high(e))
  }
  return addedLanes(f64x2.add(s0, s1))
}

/**
 * out[rows, n] = exp(x - max) / sum exp(x - max) of each row. A row with NaN or Infinity, or of -Infinity
 * alone, is NaN throughout, as in IEEE arithmetic. x and out may be the same.
 */
export function softmax(x: usize, out: usize, rows: i32, n: i32): void {
  if (n <= 0) return
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const inverse = <f32>(1 / sumOfExp(x, n, rowMax(x, n, 0), out, true))
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
    const l = <f32>logOrNaN(sumOfExp(x, n, m, 0, false))
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
      value = m == Infinity || m == -Infinity ? m : <f32>(<f64>m + logOrNaN(sumOfExp(x, n, m, 0, false)))
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

/**
 * The same three along n of x[outer, n, inner], four columns at a time: softmax (kind 0) and its logarithm (1), of the shape of x,
 * and log sum exp (2), [outer, inner]. x and out may be the same but for the last.
 */
export function softmaxColumns(x: usize, out: usize, outer: i32, n: i32, inner: i32, kind: i32): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j += 4) {
      const at = <usize>j << 2
      columns4(x + at, out + at, row, block, min(4, inner - j), kind)
    }
    x += block
    out += kind == kindTotal ? row : block
  }
}

function columns4(x: usize, out: usize, row: usize, block: usize, count: i32, kind: i32): void {
  let m = f32x4.splat(-Infinity)
  for (let at: usize = 0; at < block; at += row) m = f32x4.max(m, loadPart(x + at, count))
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (let at: usize = 0; at < block; at += row) {
    const e = expDifference(loadPart(x + at, count), m)
    if (kind == 0) storePart(out + at, e, count)
    s0 = f64x2.add(s0, low(e))
    s1 = f64x2.add(s1, high(e))
  }
  if (kind == 0) {
    const one = f64x2.splat(1)
    const scale = narrow(f64x2.div(one, s0), f64x2.div(one, s1))
    for (let at = out; at < out + block; at += row) storePart(at, f32x4.mul(loadPart(at, count), scale), count)
    return
  }
  s0 = f64x2(logOrNaN(f64x2.extract_lane(s0, 0)), logOrNaN(f64x2.extract_lane(s0, 1)))
  s1 = f64x2(logOrNaN(f64x2.extract_lane(s1, 0)), logOrNaN(f64x2.extract_lane(s1, 1)))
  if (kind == kindLogarithm) {
    const l = narrow(s0, s1)
    for (let at: usize = 0; at < block; at += row) {
      storePart(out + at, f32x4.sub(f32x4.sub(loadPart(x + at, count), m), l), count)
    }
    return
  }
  const total = narrow(f64x2.add(low(m), s0), f64x2.add(high(m), s1))
  // As in a row: an infinite largest is the sum itself.
  const isInfinite = f32x4.eq(f32x4.abs(m), f32x4.splat(Infinity))
  storePart(out, v128.bitselect(m, total, isInfinite), count)
}

// @ts-ignore: decorator
@inline
function storePart(out: usize, value: v128, count: i32): void {
  if (count == 4) v128.store(out, value)
  else storeTail(out, value, count)
}
