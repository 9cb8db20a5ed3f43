/** 1.5 * 2^23 + 127: adding it leaves round(x), biased as an exponent, in the low bits of the sum. */
const magic: f32 = 12583039.0

/** x / ln 2, rounded and biased: what `mantissa` and `scaled` take. */
// @ts-ignore: decorator
@inline
export function shiftOf(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(magic))
}

/**
 * exp(r), where x + low = i ln 2 + r with |r| <= ln 2 / 2 by a two-part constant. A minimax polynomial, evaluated in pairs (Estrin)
 * because latency is what counts here.
 */
// @ts-ignore: decorator
@inline
export function mantissa(x: v128, low: v128, shifted: v128): v128 {
  const whole = f32x4.sub(shifted, f32x4.splat(magic))
  const high = f32x4.sub(x, f32x4.mul(whole, f32x4.splat(0.693359375)))
  const r = f32x4.add(f32x4.sub(high, f32x4.mul(whole, f32x4.splat(-2.12194440e-4))), low)
  const rr = f32x4.mul(r, r)
  const p01 = f32x4.add(f32x4.mul(r, f32x4.splat(0.16666541993618011)), f32x4.splat(0.4999999701976776))
  const p23 = f32x4.add(f32x4.mul(r, f32x4.splat(0.00836664717644453)), f32x4.splat(0.04166720435023308))
  const tail = f32x4.add(p01, f32x4.mul(rr, f32x4.add(p23, f32x4.mul(rr, f32x4.splat(0.001388249802403152)))))
  return f32x4.add(f32x4.add(r, f32x4.mul(rr, tail)), f32x4.splat(1))
}

/** Whether some 2^i is below the exponents of float32. */
// @ts-ignore: decorator
@inline
export function isLow(x: v128): bool {
  return v128.any_true(f32x4.lt(x, f32x4.splat(-87)))
}

/**
 * Four values of exp(x + low) for x <= 0, at most 1.1 ulp from the true one (subnormal ones too);
 * NaN where x is NaN, 0 where it is -Infinity.
 *
 * @param low a correction below one ulp of x, what rounding took from it; any value where x < -104
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128, low: v128): v128 {
  const shifted = shiftOf(x)
  const e = mantissa(x, low, shifted)
  return isLow(x) ? scaleLow(x, e, shifted) : f32x4.mul(e, i32x4.shl(shifted, 23))
}

/** e 2^i where 2^i may be below the exponents of float32: in two halves, and 0 where x says that nothing is left. */
export function scaleLow(x: v128, e: v128, shifted: v128): v128 {
  const i = i32x4.sub(shifted, i32x4.splat(reinterpret<i32>(magic)))
  const half = i32x4.shr_s(i, 1)
  const bias = i32x4.splat(127)
  const scale1 = i32x4.shl(i32x4.add(half, bias), 23)
  const scale2 = i32x4.shl(i32x4.add(i32x4.sub(i, half), bias), 23)
  return v128.andnot(f32x4.mul(f32x4.mul(e, scale1), scale2), f32x4.lt(x, f32x4.splat(-104)))
}

/**
 * log(x) in float64 for a normal x > 0, to about 1e-14: x = 2^e f with f in [sqrt(1/2), sqrt(2)), and
 * log f = 2 artanh((f - 1) / (f + 1)). NativeMath's would put a table into the heap.
 */
export function log(x: f64): f64 {
  const bits = reinterpret<u64>(x)
  // Moves sqrt(1/2) to a power of two, so that the exponent field rounds as wanted.
  const shifted = bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd)
  const exponent = <f64>(<i32>(shifted >> 52) - 1023)
  const f = reinterpret<f64>((shifted & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd)
  const t = (f - 1) / (f + 1)
  const s = t * t
  let series: f64 = 1.0 / 19
  series = series * s + 1.0 / 17
  series = series * s + 1.0 / 15
  series = series * s + 1.0 / 13
  series = series * s + 1.0 / 11
  series = series * s + 1.0 / 9
  series = series * s + 1.0 / 7
  series = series * s + 1.0 / 5
  series = series * s + 1.0 / 3
  return exponent * 0.6931471805599453 + 2 * (t + t * s * series)
}
