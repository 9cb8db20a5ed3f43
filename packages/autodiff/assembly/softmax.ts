import { exp4, log } from './exp'
import { rowMax } from './reduce-max'

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
export function keep(value: v128, count: i32): v128 {
  return v128.and(value, i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)))
}

/**
 * The sum of exp(x - m) over a row, in float64: log keeps what the terms beside the largest add to 1.
 *
 * @param out where the exponentials go, or 0 for nowhere
 */
export function sumOfExp(x: usize, n: i32, m: f32, out: usize): f64 {
  const mm = f32x4.splat(m)
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2
    const e = expDifference(v128.load(x + at), mm)
    if (out != 0) v128.store(out + at, e)
    low = f64x2.add(low, f64x2.promote_low_f32x4(e))
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(e, e, 1, 1)))
  }
  if (i < n) {
    const at = <usize>i << 2
    const e = keep(expDifference(loadTail(x + at, n - i), mm), n - i)
    if (out != 0) storeTail(out + at, e, n - i)
    low = f64x2.add(low, f64x2.promote_low_f32x4(e))
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(e, e, 1, 1)))
  }
  const sum = f64x2.add(low, high)
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/**
 * out[rows, n] = exp(x - max) / sum exp(x - max) of each row. A row with NaN or Infinity, or of -Infinity
 * alone, is NaN throughout, as in IEEE arithmetic. x and out may be the same.
 */
export function softmax(x: usize, out: usize, rows: i32, n: i32): void {
  if (n <= 0) return
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const inverse = <f32>(1 / sumOfExp(x, n, rowMax(x, n), out))
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
    const m = rowMax(x, n)
    const mm = f32x4.splat(m)
    const l = <f32>logOrNaN(sumOfExp(x, n, m, 0))
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
      const m = rowMax(x, n)
      // x - m is NaN at an infinite m; the sum is that m itself. NaN takes the ordinary way.
      value = m == Infinity || m == -Infinity ? m : <f32>(<f64>m + logOrNaN(sumOfExp(x, n, m, 0)))
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
