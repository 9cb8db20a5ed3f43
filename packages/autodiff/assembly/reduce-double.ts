import { addedLanes, high, low, narrow } from './double'

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

/**
 * Writes out[outer, inner], the sums of squares of x[outer, n, inner] over n, divided by `divisor`: of what is left when the mean
 * is taken away where `centred`, and the square root of that where `root`. All in float64: neither overflows on the way,
 * nor cancels.
 */
export function reduceSquares(
  x: usize, out: usize, outer: i32, n: i32, inner: i32, centred: bool, divisor: f64, root: bool,
): void {
  const row = <usize>inner << 2
  for (let o = 0; o < outer; o++) {
    let j = 0
    if (inner == 1) {
      const mean = centred ? rowTotal(x, n, 0, false) / <f64>n : 0
      const s = rowTotal(x, n, mean, true) / divisor
      store<f32>(out, <f32>(root ? sqrt(s) : s))
      j = 1
    }
    for (; j + 4 <= inner; j += 4) squaresOf4(x + (<usize>j << 2), row, n, out + (<usize>j << 2), centred, divisor, root)
    for (; j < inner; j++) {
      let mean: f64 = 0
      if (centred) {
        let at = x + (<usize>j << 2)
        for (let i = 0; i < n; i++) {
          mean += <f64>load<f32>(at)
          at += row
        }
        mean /= <f64>n
      }
      let s: f64 = 0
      let at = x + (<usize>j << 2)
      for (let i = 0; i < n; i++) {
        const d = <f64>load<f32>(at) - mean
        s += d * d
        at += row
      }
      s /= divisor
      store<f32>(out + (<usize>j << 2), <f32>(root ? sqrt(s) : s))
    }
    x += <usize>n * row
    out += row
  }
}

/** The sum of x - from, or of its square, along a row. */
function rowTotal(x: usize, n: i32, from: f64, squared: bool): f64 {
  const mean = f64x2.splat(from)
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (; n >= 4; n -= 4) {
    const v = v128.load(x)
    const d0 = f64x2.sub(low(v), mean)
    const d1 = f64x2.sub(high(v), mean)
    s0 = f64x2.add(s0, squared ? f64x2.mul(d0, d0) : d0)
    s1 = f64x2.add(s1, squared ? f64x2.mul(d1, d1) : d1)
    x += 16
  }
  let total = addedLanes(f64x2.add(s0, s1))
  for (; n > 0; n--) {
    const d = <f64>load<f32>(x) - from
    total += squared ? d * d : d
    x += 4
  }
  return total
}

function squaresOf4(x: usize, row: usize, n: i32, out: usize, centred: bool, divisor: f64, root: bool): void {
  let m0 = f64x2.splat(0)
  let m1 = m0
  if (centred) {
    let at = x
    for (let i = 0; i < n; i++) {
      const v = v128.load(at)
      m0 = f64x2.add(m0, low(v))
      m1 = f64x2.add(m1, high(v))
      at += row
    }
    m0 = f64x2.div(m0, f64x2.splat(<f64>n))
    m1 = f64x2.div(m1, f64x2.splat(<f64>n))
  }
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (let i = 0; i < n; i++) {
    const v = v128.load(x)
    const d0 = f64x2.sub(low(v), m0)
    const d1 = f64x2.sub(high(v), m1)
    s0 = f64x2.add(s0, f64x2.mul(d0, d0))
    s1 = f64x2.add(s1, f64x2.mul(d1, d1))
    x += row
  }
  s0 = f64x2.div(s0, f64x2.splat(divisor))
  s1 = f64x2.div(s1, f64x2.splat(divisor))
  if (root) {
    s0 = f64x2.sqrt(s0)
    s1 = f64x2.sqrt(s1)
  }
  v128.store(out, narrow(s0, s1))
}
