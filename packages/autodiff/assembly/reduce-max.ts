/**
 * One step of a running maximum. f32x4.max keeps NaN but is eight instructions on x86; pmax is one and
 * forgets it, so NaN is noted apart, and put back at the end by `largest`.
 */
// @ts-ignore: decorator
@inline
function unordered(noted: v128, v: v128): v128 {
  return v128.or(noted, f32x4.ne(v, v))
}

/** The largest of a row, NaN if it has one; where that is 0, of either sign. n must not be 0. */
export function rowMax(x: usize, n: i32): f32 {
  let i = 0
  let result: f32 = -Infinity
  if (n >= 4) {
    let m0 = v128.load(x)
    let m1 = m0
    let noted0 = f32x4.splat(0)
    let noted1 = noted0
    for (; i + 8 <= n; i += 8) {
      const v0 = v128.load(x + (<usize>i << 2))
      const v1 = v128.load(x + (<usize>i << 2), 16)
      m0 = f32x4.pmax(m0, v0)
      m1 = f32x4.pmax(m1, v1)
      noted0 = unordered(noted0, v0)
      noted1 = unordered(noted1, v1)
    }
    if (i + 4 <= n) {
      const v0 = v128.load(x + (<usize>i << 2))
      m0 = f32x4.pmax(m0, v0)
      noted0 = unordered(noted0, v0)
      i += 4
    }
    // All bits set is NaN.
    m0 = f32x4.max(v128.or(m0, v128.or(noted0, noted1)), m1)
    result = max(
      max(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
      max(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
    )
  }
  for (; i < n; i++) result = max(result, load<f32>(x + (<usize>i << 2)))
  return result
}

/** The same with the sign of 0 that IEEE 754's maximum has: 0 is larger than -0. */
function rowMaximum(x: usize, n: i32): f32 {
  const m = rowMax(x, n)
  if (m != 0) return m
  for (let i = 0; i < n; i++) if (reinterpret<i32>(load<f32>(x + (<usize>i << 2))) == 0) return 0
  return -0.0
}

/** Writes out[outer, inner], the largest of x[outer, n, inner] over n; NaN where there is one. n must not be 0. */
export function reduceMax(x: usize, out: usize, outer: i32, n: i32, inner: i32): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) store<f32>(out, rowMaximum(x, n))
    else {
      let j = 0
      for (; j + 16 <= inner; j += 16) maxOf16(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
      for (; j + 4 <= inner; j += 4) {
        let at = x + (<usize>j << 2)
        let m = v128.load(at)
        for (let i = 1; i < n; i++) {
          at += row
          m = f32x4.max(m, v128.load(at))
        }
        v128.store(out + (<usize>j << 2), m)
      }
      for (; j < inner; j++) {
        let at = x + (<usize>j << 2)
        let m = load<f32>(at)
        for (let i = 1; i < n; i++) {
          at += row
          m = max(m, load<f32>(at))
        }
        store<f32>(out + (<usize>j << 2), m)
      }
    }
    x += block
    out += row
  }
}

/** Sixteen columns, a cache line of each row. */
function maxOf16(x: usize, row: usize, n: i32, out: usize): void {
  let m0 = v128.load(x)
  let m1 = v128.load(x, 16)
  let m2 = v128.load(x, 32)
  let m3 = v128.load(x, 48)
  for (let i = 1; i < n; i++) {
    x += row
    m0 = f32x4.max(m0, v128.load(x))
    m1 = f32x4.max(m1, v128.load(x, 16))
    m2 = f32x4.max(m2, v128.load(x, 32))
    m3 = f32x4.max(m3, v128.load(x, 48))
  }
  v128.store(out, m0)
  v128.store(out, m1, 16)
  v128.store(out, m2, 32)
  v128.store(out, m3, 48)
}

/**
 * Writes out[outer, inner], the position along n of the largest of x[outer, n, inner]: the first largest,
 * or the first NaN where there is one (NumPy's rule). n must not be 0.
 */
export function argMax(x: usize, out: usize, outer: i32, n: i32, inner: i32): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) store<f32>(out, <f32>firstOf(x, n, rowMax(x, n)))
    else {
      let j = 0
      for (; j + 4 <= inner; j += 4) argMaxOf4(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
      for (; j < inner; j++) argMaxOf1(x + (<usize>j << 2), row, n, out + (<usize>j << 2))
    }
    x += block
    out += row
  }
}

/** The first position of a value that the row has; NaN equals NaN here. */
function firstOf(x: usize, n: i32, value: f32): i32 {
  const wanted = f32x4.splat(value)
  const any = value != value
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (<usize>i << 2))
    if (v128.any_true(any ? f32x4.ne(v, v) : f32x4.eq(v, wanted))) break
  }
  for (; i < n; i++) {
    const v = load<f32>(x + (<usize>i << 2))
    if (any ? v != v : v == value) break
  }
  return i
}

function argMaxOf4(x: usize, row: usize, n: i32, out: usize): void {
  let best = v128.load(x)
  let index = f32x4.splat(0)
  for (let i = 1; i < n; i++) {
    x += row
    const v = v128.load(x)
    // Not (v <= best) also holds for NaN on either side; a best that is NaN stays.
    const better = v128.andnot(f32x4.eq(best, best), f32x4.le(v, best))
    best = v128.bitselect(v, best, better)
    index = v128.bitselect(f32x4.splat(<f32>i), index, better)
  }
  v128.store(out, index)
}

function argMaxOf1(x: usize, row: usize, n: i32, out: usize): void {
  let best = load<f32>(x)
  let index = 0
  for (let i = 1; i < n; i++) {
    x += row
    const v = load<f32>(x)
    if (best == best && !(v <= best)) {
      best = v
      index = i
    }
  }
  store<f32>(out, <f32>index)
}
