import { high, low, narrow } from './reduce-sum'
import { loadSome, storeSome } from './vector-part'

/** Rows whose columns are gone over four by four, while they are near. */
const blockRows: i32 = 64

// Sums are kept as float64 in tables of `width(n)` bytes, one after the other.
// @ts-ignore: decorator
@inline
function width(n: i32): usize {
  return (<usize>n + 3 & ~3) << 3
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, first: v128, second: v128): void {
  v128.store(at, f64x2.add(v128.load(at), first))
  v128.store(at, f64x2.add(v128.load(at, 16), second), 16)
}

// @ts-ignore: decorator
@inline
function centred(x: usize, left: i32, mh: v128, ml: v128): v128 {
  return f32x4.sub(f32x4.sub(loadSome(x, left), mh), ml)
}

// A mean is held as two floats, so that x - mean is exact where x lies near it.
// @ts-ignore: decorator
@inline
function meanHigh(sums: usize): v128 {
  return narrow(v128.load(sums), v128.load(sums, 16))
}

// @ts-ignore: decorator
@inline
function meanLow(sums: usize, mh: v128): v128 {
  return narrow(f64x2.sub(v128.load(sums), low(mh)), f64x2.sub(v128.load(sums, 16), high(mh)))
}

// @ts-ignore: decorator
@inline
function inverse(variances: usize, epsilon: f64): v128 {
  const one = f64x2.splat(1)
  const e = f64x2.splat(epsilon)
  return narrow(
    f64x2.div(one, f64x2.sqrt(f64x2.add(v128.load(variances), e))),
    f64x2.div(one, f64x2.sqrt(f64x2.add(v128.load(variances, 16), e))),
  )
}

function divide(sums: usize, n: i32, by: f64): void {
  for (let i = 0; i < n; i += 2) {
    const at = sums + (<usize>i << 3)
    v128.store(at, f64x2.div(v128.load(at), f64x2.splat(by)))
  }
}

/** Means and biased variances of columns, as float64, into two tables: two passes. */
function moments(x: usize, rows: i32, n: i32, means: usize): void {
  const row = <usize>n << 2
  const variances = means + width(n)
  memory.fill(means, 0, width(n) << 1)
  for (let pass = 0; pass < 2; pass++) {
    for (let first = 0; first < rows; first += blockRows) {
      const count = min(blockRows, rows - first)
      const block = x + <usize>first * row
      for (let j = 0; j < n; j += 4) {
        const table = means + (<usize>j << 3)
        let from = block + (<usize>j << 2)
        let s0 = f64x2.splat(0)
        let s1 = s0
        if (pass == 0) {
          for (let i = 0; i < count; i++) {
            const v = loadSome(from, n - j)
            s0 = f64x2.add(s0, low(v))
            s1 = f64x2.add(s1, high(v))
            from += row
          }
          addTo(table, s0, s1)
        } else {
          const mh = meanHigh(table)
          const ml = meanLow(table, mh)
          for (let i = 0; i < count; i++) {
            const d = centred(from, n - j, mh, ml)
            const d0 = low(d)
            const d1 = high(d)
            s0 = f64x2.add(s0, f64x2.mul(d0, d0))
            s1 = f64x2.add(s1, f64x2.mul(d1, d1))
            from += row
          }
          addTo(table + width(n), s0, s1)
        }
      }
    }
    divide(pass == 0 ? means : variances, n, rows)
  }
}

function put(out: usize, n: i32, table: usize): void {
  if (out == 0) return
  for (let j = 0; j < n; j += 4) {
    const from = table + (<usize>j << 3)
    storeSome(out + (<usize>j << 2), narrow(v128.load(from), v128.load(from, 16)), n - j)
  }
}

/**
 * y[rows, n] = (x - mean) / sqrt(variance + epsilon) of each column, times gamma[n], plus beta[n]; mean[n]; variance[n], biased.
 *
 * @param gamma 0 for none, as is beta
 * @param tables 16 bytes for each of n, rounded up to a multiple of 4
 */
export function batchNorm(
  x: usize, gamma: usize, beta: usize, y: usize, mean: usize, variance: usize, rows: i32, n: i32, epsilon: f64, tables: usize,
): void {
  const row = <usize>n << 2
  moments(x, rows, n, tables)
  put(mean, n, tables)
  put(variance, n, tables + width(n))
  for (let first = 0; first < rows; first += blockRows) {
    const count = min(blockRows, rows - first)
    for (let j = 0; j < n; j += 4) {
      const at = <usize>j << 2
      const table = tables + (at << 1)
      const mh = meanHigh(table)
      const ml = meanLow(table, mh)
      const scale = inverse(table + width(n), epsilon)
      const c = gamma == 0 ? f32x4.splat(1) : loadSome(gamma + at, n - j)
      const b = beta == 0 ? f32x4.splat(0) : loadSome(beta + at, n - j)
      let from = <usize>first * row + at
      for (let i = 0; i < count; i++) {
        let v = f32x4.mul(centred(x + from, n - j, mh, ml), scale)
        if (gamma != 0) v = f32x4.mul(v, c)
        if (beta != 0) v = f32x4.add(v, b)
        storeSome(y + from, v, n - j)
        from += row
      }
    }
  }
}

/**
 * The adjoint of `batchNorm` for cotangents g[rows, n] of y, gm[n] of the means, gv[n] of the variances: dx[rows, n],
 * dgamma[n], dbeta[n].
 *
 * @param g 0 where there is none, as are gm and gv
 * @param dx 0 where it is not wanted, as are dgamma and dbeta
 * @param tables 32 bytes for each of n, rounded up to a multiple of 4
 */
export function batchNormGradient(
  g: usize, gm: usize, gv: usize, x: usize, gamma: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, n: i32,
  epsilon: f64, tables: usize,
): void {
  const row = <usize>n << 2
  const table = width(n)
  moments(x, rows, n, tables)
  memory.fill(tables + (table << 1), 0, table << 1)
  for (let pass = 0; pass < 2; pass++) {
    if (pass == 0 ? g == 0 : dx == 0) continue
    for (let first = 0; first < rows; first += blockRows) {
      const count = min(blockRows, rows - first)
      for (let j = 0; j < n; j += 4) {
        const at = <usize>j << 2
        const means = tables + (at << 1)
        const mh = meanHigh(means)
        const ml = meanLow(means, mh)
        const scale = inverse(means + table, epsilon)
        let from = <usize>first * row + at
        if (pass == 0) {
          let s0 = f64x2.splat(0)
          let s1 = s0
          let p0 = s0
          let p1 = s0
          for (let i = 0; i < count; i++) {
            const v = loadSome(g + from, n - j)
            const p = f32x4.mul(v, f32x4.mul(centred(x + from, n - j, mh, ml), scale))
            s0 = f64x2.add(s0, low(v))
            s1 = f64x2.add(s1, high(v))
            p0 = f64x2.add(p0, low(p))
            p1 = f64x2.add(p1, high(p))
            from += row
          }
          addTo(means + (table << 1), p0, p1)
          addTo(means + table * 3, s0, s1)
          continue
        }
        // dx = c (g - s / rows - h p / rows) + gm / rows + gv 2 (x - mean) / rows, with h = (x - mean) scale and c = gamma scale
        const share = f32x4.splat(<f32>(1.0 / <f64>rows))
        const p = f32x4.mul(meanHigh(means + (table << 1)), share)
        const s = f32x4.mul(meanHigh(means + table * 3), share)
        const c = gamma == 0 ? scale : f32x4.mul(scale, loadSome(gamma + at, n - j))
        let constant = gm == 0 ? f32x4.splat(0) : f32x4.mul(loadSome(gm + at, n - j), share)
        const slope = gv == 0 ? f32x4.splat(0) : f32x4.mul(f32x4.mul(loadSome(gv + at, n - j), f32x4.splat(2)), share)
        for (let i = 0; i < count; i++) {
          const d = centred(x + from, n - j, mh, ml)
          let v = f32x4.splat(0)
          if (g != 0) {
            v = f32x4.sub(loadSome(g + from, n - j), s)
            v = f32x4.mul(c, f32x4.sub(v, f32x4.mul(f32x4.mul(d, scale), p)))
          }
          if (gv != 0) v = f32x4.add(v, f32x4.mul(d, slope))
          storeSome(dx + from, f32x4.add(v, constant), n - j)
          from += row
        }
      }
    }
  }
  put(dgamma, n, tables + (table << 1))
  put(dbeta, n, tables + table * 3)
}
