import { high, low, narrow } from './reduce-sum'
import { keep } from './softmax'
import { loadSome, storeSome } from './vector-part'

// A mean is held as two floats, so that x - mean is exact where x lies near it: rounded alone it would be off by an ulp of x.
let meanHigh: f32 = 0
let meanLow: f32 = 0
let inverse: f32 = 0

// @ts-ignore: decorator
@inline
function lanes(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/** Leaves the mean of a row, and 1 / sqrt(variance + epsilon): two passes, summed in float64. */
function measure(x: usize, n: i32, epsilon: f64): void {
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (let i = 0; i < n; i += 4) {
    const v = loadSome(x + (<usize>i << 2), n - i)
    s0 = f64x2.add(s0, low(v))
    s1 = f64x2.add(s1, high(v))
  }
  const mean = lanes(f64x2.add(s0, s1)) / n
  meanHigh = <f32>mean
  meanLow = <f32>(mean - <f64>meanHigh)
  const mh = f32x4.splat(meanHigh)
  const ml = f32x4.splat(meanLow)
  s0 = f64x2.splat(0)
  s1 = s0
  for (let i = 0; i < n; i += 4) {
    const d = keep(f32x4.sub(f32x4.sub(loadSome(x + (<usize>i << 2), n - i), mh), ml), n - i)
    const d0 = low(d)
    const d1 = high(d)
    s0 = f64x2.add(s0, f64x2.mul(d0, d0))
    s1 = f64x2.add(s1, f64x2.mul(d1, d1))
  }
  inverse = <f32>(1 / sqrt(lanes(f64x2.add(s0, s1)) / n + epsilon))
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
    const mh = f32x4.splat(meanHigh)
    const ml = f32x4.splat(meanLow)
    const scale = f32x4.splat(inverse)
    for (let i = 0; i < n; i += 4) {
      const at = <usize>i << 2
      let y = f32x4.mul(f32x4.sub(f32x4.sub(loadSome(x + at, n - i), mh), ml), scale)
      if (gamma != 0) y = f32x4.mul(y, loadSome(gamma + at, n - i))
      if (beta != 0) y = f32x4.add(y, loadSome(beta + at, n - i))
      storeSome(out + at, y, n - i)
    }
    x += row
    out += row
  }
}

/**
 * The adjoint of `layerNorm` for a cotangent g[rows, n]: dx[rows, n], dgamma[n], dbeta[n].
 *
 * @param dx 0 where it is not wanted, as are dgamma and dbeta
 * @param sums 16 bytes for each of n, rounded up to a multiple of 4; 0 where neither dgamma nor dbeta is wanted
 */
export function layerNormGradient(
  g: usize, x: usize, gamma: usize, dx: usize, dgamma: usize, dbeta: usize, rows: i32, n: i32, epsilon: f64, sums: usize,
): void {
  const row = <usize>n << 2
  const half = (<usize>n + 3 & ~3) << 3
  if (sums != 0) memory.fill(sums, 0, half << 1)
  for (; rows > 0; rows--) {
    measure(x, n, epsilon)
    const mh = f32x4.splat(meanHigh)
    const ml = f32x4.splat(meanLow)
    const scale = f32x4.splat(inverse)
    let a0 = f64x2.splat(0)
    let a1 = a0
    let b0 = a0
    let b1 = a0
    for (let i = 0; i < n; i += 4) {
      const at = <usize>i << 2
      let v = loadSome(g + at, n - i)
      const h = f32x4.mul(f32x4.sub(f32x4.sub(loadSome(x + at, n - i), mh), ml), scale)
      if (sums != 0) {
        const to = sums + (at << 1)
        const p = f32x4.mul(v, h)
        v128.store(to, f64x2.add(v128.load(to), low(p)))
        v128.store(to, f64x2.add(v128.load(to, 16), high(p)), 16)
        v128.store(to + half, f64x2.add(v128.load(to + half), low(v)))
        v128.store(to + half, f64x2.add(v128.load(to + half, 16), high(v)), 16)
      }
      if (gamma != 0) v = f32x4.mul(v, loadSome(gamma + at, n - i))
      const p = keep(f32x4.mul(v, h), n - i)
      a0 = f64x2.add(a0, low(v))
      a1 = f64x2.add(a1, high(v))
      b0 = f64x2.add(b0, low(p))
      b1 = f64x2.add(b1, high(p))
    }
    if (dx != 0) {
      const a = f32x4.splat(<f32>(lanes(f64x2.add(a0, a1)) / n))
      const b = f32x4.splat(<f32>(lanes(f64x2.add(b0, b1)) / n))
      for (let i = 0; i < n; i += 4) {
        const at = <usize>i << 2
        let v = loadSome(g + at, n - i)
        if (gamma != 0) v = f32x4.mul(v, loadSome(gamma + at, n - i))
        const h = f32x4.mul(f32x4.sub(f32x4.sub(loadSome(x + at, n - i), mh), ml), scale)
        storeSome(dx + at, f32x4.mul(scale, f32x4.sub(f32x4.sub(v, a), f32x4.mul(h, b))), n - i)
      }
      dx += row
    }
    x += row
    g += row
  }
  for (let i = 0; i < n; i += 4) {
    const at = <usize>i << 2
    const from = sums + (at << 1)
    if (dgamma != 0) storeSome(dgamma + at, narrow(v128.load(from), v128.load(from, 16)), n - i)
    if (dbeta != 0) storeSome(dbeta + at, narrow(v128.load(from + half), v128.load(from + half, 16)), n - i)
  }
}
