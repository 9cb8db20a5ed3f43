import { high, low } from './double'
import { reduceSum } from './reduce-sum'

/** Rows whose terms are summed in float32 before their sum goes into a float64. */
const run: i32 = 16

// Tables hold a number for each column, float64 ones first; their length is a multiple of 4.
// @ts-ignore: decorator
@inline
function padded(n: i32): usize {
  return <usize>n + 3 & ~3
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, first: v128, second: v128): void {
  v128.store(at, f64x2.add(v128.load(at), first))
  v128.store(at, f64x2.add(v128.load(at, 16), second), 16)
}

// @ts-ignore: decorator
@inline
function addOne(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value)
}

/**
 * Sums over rows into two tables, with d = x - shift: of d, and of d d, which as float64 is never too large.
 *
 * @param shift near the means of the columns, so that nothing is lost where they are large
 */
function moments(x: usize, shift: usize, rows: i32, n: i32, tables: usize): void {
  const row = <usize>n << 2
  const table = padded(n) << 3
  memory.fill(tables, 0, table << 1)
  for (; rows > 0; rows -= run) {
    const count = min(run, rows)
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const at = <usize>j << 2
      const from = v128.load(shift + at)
      let s = f32x4.splat(0)
      let q0 = f64x2.splat(0)
      let q1 = q0
      let own = x + at
      for (let i = 0; i < count; i++) {
        const d = f32x4.sub(v128.load(own), from)
        const d0 = low(d)
        const d1 = high(d)
        s = f32x4.add(s, d)
        q0 = f64x2.add(q0, f64x2.mul(d0, d0))
        q1 = f64x2.add(q1, f64x2.mul(d1, d1))
        own += row
      }
      const to = tables + (at << 1)
      addTo(to, low(s), high(s))
      addTo(to + table, q0, q1)
    }
    for (; j < n; j++) {
      const at = <usize>j << 2
      const from = load<f32>(shift + at)
      let s: f32 = 0
      let q: f64 = 0
      let own = x + at
      for (let i = 0; i < count; i++) {
        const d = load<f32>(own) - from
        s += d
        q += <f64>d * <f64>d
        own += row
      }
      addOne(tables + (at << 1), s)
      addOne(tables + (at << 1) + table, q)
    }
    x += row * run
  }
}

/** Sums over rows into three tables: of d = x - shift, of g d, and of g. */
function products(g: usize, x: usize, shift: usize, rows: i32, n: i32, tables: usize): void {
  const row = <usize>n << 2
  const table = padded(n) << 3
  memory.fill(tables, 0, table * 3)
  for (; rows > 0; rows -= run) {
    const count = min(run, rows)
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const at = <usize>j << 2
      const from = v128.load(shift + at)
      let s = f32x4.splat(0)
      let q = s
      let t = s
      let own = x + at
      let other = g + at
      for (let i = 0; i < count; i++) {
        const d = f32x4.sub(v128.load(own), from)
        const v = v128.load(other)
        s = f32x4.add(s, d)
        q = f32x4.add(q, f32x4.mul(d, v))
        t = f32x4.add(t, v)
        own += row
        other += row
      }
      const to = tables + (at << 1)
      addTo(to, low(s), high(s))
      addTo(to + table, low(q), high(q))
      addTo(to + (table << 1), low(t), high(t))
    }
    for (; j < n; j++) {
      const at = <usize>j << 2
      const from = load<f32>(shift + at)
      let s: f32 = 0
      let q: f32 = 0
      let t: f32 = 0
      let step = <usize>0
      for (let i = 0; i < count; i++) {
        const d = load<f32>(x + at + step) - from
        const v = load<f32>(g + at + step)
        s += d
        q += d * v
        t += v
        step += row
      }
      const to = tables + (at << 1)
      addOne(to, s)
      addOne(to + table, q)
      addOne(to + (table << 1), t)
    }
    x += row * run
    g += row * run
  }
}

/** out = (x - shift) factor + constant of each column, times gamma, plus beta; plus (g - share) weight. 0 for none. */
function combine(
  x: usize, out: usize, rows: i32, n: i32, shift: usize, factor: usize, constant: usize, gamma: usize, beta: usize, g: usize,
  weight: usize, share: usize,
): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const at = <usize>j << 2
      const d = f32x4.sub(v128.load(x + at), v128.load(shift + at))
      let v = f32x4.add(f32x4.mul(d, v128.load(factor + at)), v128.load(constant + at))
      if (gamma != 0) v = f32x4.mul(v, v128.load(gamma + at))
      if (beta != 0) v = f32x4.add(v, v128.load(beta + at))
      if (g != 0) {
        const w = f32x4.sub(v128.load(g + at), v128.load(share + at))
        v = f32x4.add(v, f32x4.mul(w, v128.load(weight + at)))
      }
      v128.store(out + at, v)
    }
    for (; j < n; j++) {
      const at = <usize>j << 2
      let v = (load<f32>(x + at) - load<f32>(shift + at)) * load<f32>(factor + at) + load<f32>(constant + at)
      if (gamma != 0) v *= load<f32>(gamma + at)
      if (beta != 0) v += load<f32>(beta + at)
      if (g != 0) v += (load<f32>(g + at) - load<f32>(share + at)) * load<f32>(weight + at)
      store<f32>(out + at, v)
    }
    x += row
    out += row
    if (g != 0) g += row
  }
}

/**
 * y[rows, n] = (x - mean) / sqrt(variance + epsilon) of each column, times gamma[n], plus beta[n]; mean[n]; variance[n], biased.
 *
 * @param gamma 0 for none, as is beta
 * @param tables 40 bytes for each of n, rounded up to a multiple of 4
 */
export function batchNorm(
  x: usize, gamma: usize, beta: usize, y: usize, mean: usize, variance: usize, rows: i32, n: i32, epsilon: f64, tables: usize,
): void {
  const size = padded(n)
  const squares = tables + (size << 3)
  const shift = tables + size * 24
  const factor = shift + (size << 2)
  const constant = factor + (size << 2)
  const count = <f64>rows
  reduceSum(x, shift, 1, rows, n)
  for (let j: usize = 0; j < <usize>n; j++) {
    const at = shift + (j << 2)
    store<f32>(at, <f32>(<f64>load<f32>(at) / count))
  }
  moments(x, shift, rows, n, tables)
  for (let j: usize = 0; j < <usize>n; j++) {
    const at = j << 2
    // What rounding took from the mean is made good.
    const near = <f64>load<f32>(shift + at)
    const distance = load<f64>(tables + (j << 3)) / count
    const spread = max<f64>(load<f64>(squares + (j << 3)) / count - distance * distance, 0)
    const scale = 1 / sqrt(spread + epsilon)
    // Of an infinite mean there is no distance.
    store<f32>(mean + at, <f32>(abs(near) == Infinity ? near : near + distance))
    store<f32>(variance + at, <f32>spread)
    store<f32>(factor + at, <f32>scale)
    store<f32>(constant + at, <f32>(-distance * scale))
  }
  combine(x, y, rows, n, shift, factor, constant, gamma, beta, 0, 0, 0)
}

/**
 * The adjoint of `batchNorm` for cotangents g[rows, n] of y, gm[n] of the means, gv[n] of the variances: dx[rows, n],
 * dgamma[n], dbeta[n].
 *
 * @param g 0 where there is none, as are gm and gv
 * @param mean what `batchNorm` gave, as is variance
 * @param dx 0 where it is not wanted, as are dgamma and dbeta
 * @param tables 40 bytes for each of n, rounded up to a multiple of 4
 */
export function batchNormGradient(
  g: usize, gm: usize, gv: usize, x: usize, gamma: usize, mean: usize, variance: usize, dx: usize, dgamma: usize,
  dbeta: usize, rows: i32, n: i32, epsilon: f64, tables: usize,
): void {
  const size = padded(n)
  const factor = tables + size * 24
  const constant = factor + (size << 2)
  const weight = constant + (size << 2)
  const share = weight + (size << 2)
  const count = <f64>rows
  if (g != 0) products(g, x, mean, rows, n, tables)
  else memory.fill(tables, 0, size * 24)
  for (let j: usize = 0; j < <usize>n; j++) {
    const at = j << 2
    const own = tables + (j << 3)
    const distance = load<f64>(own) / count
    const scale = 1 / sqrt(<f64>load<f32>(variance + at) + epsilon)
    const c = gamma == 0 ? scale : <f64>load<f32>(gamma + at) * scale
    const sum = load<f64>(own + (size << 4))
    const product = (load<f64>(own + (size << 3)) - distance * sum) * scale
    if (dgamma != 0) store<f32>(dgamma + at, <f32>product)
    if (dbeta != 0) store<f32>(dbeta + at, <f32>sum)
    // dx = c (g - sum / rows - h product / rows) + gm / rows + 2 gv (x - mean) / rows, with h = (x - mean) scale
    const k = ((gv == 0 ? 0 : 2 * <f64>load<f32>(gv + at)) - c * scale * product) / count
    store<f32>(factor + at, <f32>k)
    store<f32>(constant + at, <f32>((gm == 0 ? 0 : <f64>load<f32>(gm + at)) / count - distance * k))
    store<f32>(weight + at, <f32>c)
    store<f32>(share + at, <f32>(sum / count))
  }
  if (dx != 0) combine(x, dx, rows, n, mean, factor, constant, 0, 0, g, weight, share)
}
