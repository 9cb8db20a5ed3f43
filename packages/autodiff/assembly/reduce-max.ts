/**
 * The smallest is the largest of the negatives, with its sign changed back. All below read numbers with `flip` applied to
 * their bits: nothing for the largest, the sign for the smallest. It costs an xor where memory is what counts.
 */
// @ts-ignore: decorator
@inline
function flipOf(minimum: bool): i32 {
  return <i32>minimum << 31
}

// @ts-ignore: decorator
@inline
function loadFlipped(at: usize, flip: i32): v128 {
  return v128.xor(v128.load(at), i32x4.splat(flip))
}

// @ts-ignore: decorator
@inline
function loadOneFlipped(at: usize, flip: i32): f32 {
  return reinterpret<f32>(load<i32>(at) ^ flip)
}

// @ts-ignore: decorator
@inline
function storeFlipped(at: usize, value: v128, flip: i32): void {
  v128.store(at, v128.xor(value, i32x4.splat(flip)))
}

// @ts-ignore: decorator
@inline
function storeOneFlipped(at: usize, value: f32, flip: i32): void {
  store<i32>(at, reinterpret<i32>(value) ^ flip)
}

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
export function rowMax(x: usize, n: i32, flip: i32): f32 {
  let i = 0
  let result: f32 = -Infinity
  if (n >= 4) {
    let m0 = loadFlipped(x, flip)
    let m1 = m0
    let noted0 = f32x4.splat(0)
    let noted1 = noted0
    for (; i + 8 <= n; i += 8) {
      const v0 = loadFlipped(x + (<usize>i << 2), flip)
      const v1 = loadFlipped(x + (<usize>i << 2) + 16, flip)
      m0 = f32x4.pmax(m0, v0)
      m1 = f32x4.pmax(m1, v1)
      noted0 = unordered(noted0, v0)
      noted1 = unordered(noted1, v1)
    }
    if (i + 4 <= n) {
      const v0 = loadFlipped(x + (<usize>i << 2), flip)
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
  for (; i < n; i++) result = max(result, loadOneFlipped(x + (<usize>i << 2), flip))
  return result
}

/** The same with the sign of 0 that IEEE 754's maximum has: 0 is larger than -0. */
function rowMaximum(x: usize, n: i32, flip: i32): f32 {
  const m = rowMax(x, n, flip)
  if (m != 0) return m
  for (let i = 0; i < n; i++) if (load<i32>(x + (<usize>i << 2)) == flip) return 0
  return -0.0
}

/** Writes out[outer, inner], the largest, or smallest, of x[outer, n, inner] over n; NaN where there is one. n must not be 0. */
export function reduceMax(x: usize, out: usize, outer: i32, n: i32, inner: i32, minimum: bool): void {
  const flip = flipOf(minimum)
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) storeOneFlipped(out, rowMaximum(x, n, flip), flip)
    else {
      let j = 0
      for (; j + 16 <= inner; j += 16) maxOf16(x + (<usize>j << 2), row, n, out + (<usize>j << 2), flip)
      for (; j + 4 <= inner; j += 4) {
        let at = x + (<usize>j << 2)
        let m = loadFlipped(at, flip)
        for (let i = 1; i < n; i++) {
          at += row
          m = f32x4.max(m, loadFlipped(at, flip))
        }
        storeFlipped(out + (<usize>j << 2), m, flip)
      }
      for (; j < inner; j++) {
        let at = x + (<usize>j << 2)
        let m = loadOneFlipped(at, flip)
        for (let i = 1; i < n; i++) {
          at += row
          m = max(m, loadOneFlipped(at, flip))
        }
        storeOneFlipped(out + (<usize>j << 2), m, flip)
      }
    }
    x += block
    out += row
  }
}

/** Sixteen columns, a cache line of each row. */
function maxOf16(x: usize, row: usize, n: i32, out: usize, flip: i32): void {
  let m0 = loadFlipped(x, flip)
  let m1 = loadFlipped(x + 16, flip)
  let m2 = loadFlipped(x + 32, flip)
  let m3 = loadFlipped(x + 48, flip)
  for (let i = 1; i < n; i++) {
    x += row
    m0 = f32x4.max(m0, loadFlipped(x, flip))
    m1 = f32x4.max(m1, loadFlipped(x + 16, flip))
    m2 = f32x4.max(m2, loadFlipped(x + 32, flip))
    m3 = f32x4.max(m3, loadFlipped(x + 48, flip))
  }
  storeFlipped(out, m0, flip)
  storeFlipped(out + 16, m1, flip)
  storeFlipped(out + 32, m2, flip)
  storeFlipped(out + 48, m3, flip)
}

/**
 * Writes out[outer, inner], the position along n of the largest, or smallest, of x[outer, n, inner]: the first of
 * several, or the first NaN where there is one (NumPy's rule). n must not be 0.
 */
export function argMax(x: usize, out: usize, outer: i32, n: i32, inner: i32, minimum: bool): void {
  const flip = flipOf(minimum)
  const row = <usize>inner << 2
  const block = <usize>n * row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) store<f32>(out, <f32>firstOf(x, n, rowMax(x, n, flip), flip))
    else {
      let j = 0
      for (; j + 4 <= inner; j += 4) argMaxOf4(x + (<usize>j << 2), row, n, out + (<usize>j << 2), flip)
      for (; j < inner; j++) argMaxOf1(x + (<usize>j << 2), row, n, out + (<usize>j << 2), flip)
    }
    x += block
    out += row
  }
}

/** The first position of a value that the row has; NaN equals NaN here. */
function firstOf(x: usize, n: i32, value: f32, flip: i32): i32 {
  const wanted = f32x4.splat(value)
  const any = value != value
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const v = loadFlipped(x + (<usize>i << 2), flip)
    if (v128.any_true(any ? f32x4.ne(v, v) : f32x4.eq(v, wanted))) break
  }
  for (; i < n; i++) {
    const v = loadOneFlipped(x + (<usize>i << 2), flip)
    if (any ? v != v : v == value) break
  }
  return i
}

function argMaxOf4(x: usize, row: usize, n: i32, out: usize, flip: i32): void {
  let best = loadFlipped(x, flip)
  let index = f32x4.splat(0)
  for (let i = 1; i < n; i++) {
    x += row
    const v = loadFlipped(x, flip)
    // Not (v <= best) also holds for NaN on either side; a best that is NaN stays.
    const better = v128.andnot(f32x4.eq(best, best), f32x4.le(v, best))
    best = v128.bitselect(v, best, better)
    index = v128.bitselect(f32x4.splat(<f32>i), index, better)
  }
  v128.store(out, index)
}

function argMaxOf1(x: usize, row: usize, n: i32, out: usize, flip: i32): void {
  let best = loadOneFlipped(x, flip)
  let index = 0
  for (let i = 1; i < n; i++) {
    x += row
    const v = loadOneFlipped(x, flip)
    if (best == best && !(v <= best)) {
      best = v
      index = i
    }
  }
  store<f32>(out, <f32>index)
}
