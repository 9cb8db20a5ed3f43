import { high, low } from './double'
import { rowSum } from './reduce-sum'

/** Terms summed in float32 before their sum goes into a float64. */
const block: i32 = 256
/** The same for terms of a column. */
const run: i32 = 16

// Of the row that was measured last: the float next to its mean, the mean's distance from there, 1 / sqrt(variance + epsilon).
let shift: f32 = 0
let distance: f64 = 0
let inverse: f32 = 0

// @ts-ignore: decorator
@inline
function lanes(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

// @ts-ignore: decorator
@inline
function total(s: v128): f64 {
  return lanes(f64x2.add(low(s), high(s)))
}

// Two passes, and what rounding took from the mean is made good: terms are distances from `shift`, whose mean is small. Squares
// of float32 numbers are added as float64: none is too large.
function measure(x: usize, n: i32, epsilon: f64): void {
  shift = rowSum(x, n) / <f32>n
  const from = f32x4.splat(shift)
  let sum: f64 = 0
  let q0 = f64x2.splat(0)
  let q1 = q0
  let i = 0
  while (i + 4 <= n) {
    const end = min(n - 3, i + block)
    let s = f32x4.splat(0)
    for (; i < end; i += 4) {
      const d = f32x4.sub(v128.load(x + (<usize>i << 2)), from)
      const d0 = low(d)
      const d1 = high(d)
      s = f32x4.add(s, d)
      q0 = f64x2.add(q0, f64x2.mul(d0, d0))
      q1 = f64x2.add(q1, f64x2.mul(d1, d1))
    }
    sum += total(s)
  }
  let squares = lanes(f64x2.add(q0, q1))
  for (; i < n; i++) {
    const d = <f64>(load<f32>(x + (<usize>i << 2)) - shift)
    sum += d
    squares += d * d
  }
  distance = sum / n
  inverse = <f32>(1 / sqrt(max<f64>(squares / n - distance * distance, 0) + epsilon))
}

/**
 * out[rows, n] = (x - mean) / sqrt(variance + epsilon) of each row, times gamma[n], plus beta[n].
 *
 * @param gamma 0 for none, as is beta
 */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, out: usize, rows: i32, n: i32, epsilon: f64,
): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    measure(x, n, epsilon)
    const rest = <f32>(-distance * inverse)
    const from4 = f32x4.splat(shift)
    const scale4 = f32x4.splat(inverse)
    const rest4 = f32x4.splat(rest)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2
      let y = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x + at), from4), scale4), rest4)
      if (gamma != 0) y = f32x4.mul(y, v128.load(gamma + at))
      if (beta != 0) y = f32x4.add(y, v128.load(beta + at))
      v128.store(out + at, y)
    }
    for (; i < n; i++) {
      const at = <usize>i << 2
      let y = (load<f32>(x + at) - shift) * inverse + rest
      if (gamma != 0) y *= load<f32>(gamma + at)
      if (beta != 0) y += load<f32>(beta + at)
      store<f32>(out + at, y)
    }
    x += row
    out += row
  }
}

// Adds a float32 table of n to one of float64, and clears it.
function flush(sums: usize, into: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2
    const v = v128.load(sums + at)
    const to = into + (at << 1)
    v128.store(to, f64x2.add(v128.load(to), low(v)))
    v128.store(to, f64x2.add(v128.load(to, 16), high(v)), 16)
    v128.store(sums + at, f32x4.splat(0))
  }
}

function put(out: usize, n: i32, table: usize): void {
  if (out == 0) return
  for (let i: usize = 0; i < <usize>n; i++) store<f32>(out + (i << 2), <f32>load<f64>(table + (i << 3)))
}

/**
 * The adjoint of `layerNorm` for a cotangent g[rows, n]: dx[rows, n], dgamma[n], dbeta[n].
 *
 * @param dx 0 where it is not wanted, as are dgamma and dbeta
 * @param tables 24 bytes for each of n, rounded up to a multiple of 4; 0 where neither dgamma nor dbeta is wanted
 */
export function layerNormGradient(
  g: usize, x: usize, gamma: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, n: i32, epsilon: f64, tables: usize,
): void {
  const row = <usize>n << 2
  const width = (<usize>n + 3 & ~3) << 2
  const sums = tables + (width << 2)
  if (tables != 0) memory.fill(tables, 0, width * 6)
  for (let r = 1; r <= rows; r++) {
    measure(x, n, epsilon)
    const rest = <f32>(-distance * inverse)
    const from4 = f32x4.splat(shift)
    const scale4 = f32x4.splat(inverse)
    const rest4 = f32x4.splat(rest)
    let sum: f64 = 0
    let products: f64 = 0
    let i = 0
    while (i + 4 <= n) {
      const end = min(n - 3, i + block)
      let s = f32x4.splat(0)
      let q = s
      for (; i < end; i += 4) {
        const at = <usize>i << 2
        let v = v128.load(g + at)
        const h = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x + at), from4), scale4), rest4)
        if (tables != 0) {
          const to = sums + at
          v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v, h)))
          v128.store(to + width, f32x4.add(v128.load(to + width), v))
        }
        if (gamma != 0) v = f32x4.mul(v, v128.load(gamma + at))
        s = f32x4.add(s, v)
        q = f32x4.add(q, f32x4.mul(v, h))
      }
      sum += total(s)
      products += total(q)
    }
    for (; i < n; i++) {
      const at = <usize>i << 2
      let v = load<f32>(g + at)
      const h = (load<f32>(x + at) - shift) * inverse + rest
      if (tables != 0) {
        const to = sums + at
        store<f32>(to, load<f32>(to) + v * h)
        store<f32>(to + width, load<f32>(to + width) + v)
      }
      if (gamma != 0) v *= load<f32>(gamma + at)
      sum += <f64>v
      products += <f64>(v * h)
    }
    if (dx != 0) {
      const a = <f32>(sum / n)
      const b = <f32>(products / n)
      const a4 = f32x4.splat(a)
      const b4 = f32x4.splat(b)
      for (i = 0; i + 4 <= n; i += 4) {
        const at = <usize>i << 2
        let v = v128.load(g + at)
        if (gamma != 0) v = f32x4.mul(v, v128.load(gamma + at))
        const h = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x + at), from4), scale4), rest4)
        v128.store(dx + at, f32x4.mul(scale4, f32x4.sub(f32x4.sub(v, a4), f32x4.mul(h, b4))))
      }
      for (; i < n; i++) {
        const at = <usize>i << 2
        let v = load<f32>(g + at)
        if (gamma != 0) v *= load<f32>(gamma + at)
        const h = (load<f32>(x + at) - shift) * inverse + rest
        store<f32>(dx + at, inverse * (v - a - h * b))
      }
      dx += row
    }
    if (tables != 0 && (r % run == 0 || r == rows)) {
      flush(sums, tables, n)
      flush(sums + width, tables + (width << 1), n)
    }
    x += row
    g += row
  }
  put(dgamma, n, tables)
  put(dbeta, n, tables + (width << 1))
}
