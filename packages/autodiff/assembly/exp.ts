/** 1.5 * 2^23 + 127: adding it leaves round(x), biased as an exponent, in the low bits of the sum. */
const magic: f32 = 12583039.0

/**
 * Four values of exp(x + low) for x <= 0, at most 1 ulp from the true one (subnormal ones too);
 * NaN where x is NaN, 0 where it is -Infinity.
 *
 * x = i ln 2 + r with |r| <= ln 2 / 2 by a two-part constant, exp(r) by the polynomial of Cephes' expf,
 * evaluated in pairs (Estrin) because latency is what counts here.
 *
 * @param low a correction below one ulp of x, what rounding took from it; any value where x < -104
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128, low: v128): v128 {
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(magic))
  const whole = f32x4.sub(shifted, f32x4.splat(magic))
  const high = f32x4.sub(x, f32x4.mul(whole, f32x4.splat(0.693359375)))
  const r = f32x4.add(f32x4.sub(high, f32x4.mul(whole, f32x4.splat(-2.12194440e-4))), low)
  const rr = f32x4.mul(r, r)
  const p01 = f32x4.add(f32x4.mul(r, f32x4.splat(1.6666665459e-1)), f32x4.splat(5.0000001201e-1))
  const p23 = f32x4.add(f32x4.mul(r, f32x4.splat(8.3334519073e-3)), f32x4.splat(4.1665795894e-2))
  const p45 = f32x4.add(f32x4.mul(r, f32x4.splat(1.9875691500e-4)), f32x4.splat(1.3981999507e-3))
  const tail = f32x4.add(p01, f32x4.mul(rr, f32x4.add(p23, f32x4.mul(rr, p45))))
  const e = f32x4.add(f32x4.add(r, f32x4.mul(rr, tail)), f32x4.splat(1))
  if (v128.any_true(f32x4.lt(x, f32x4.splat(-87)))) return scaleLow(x, e, shifted)
  return f32x4.mul(e, i32x4.shl(shifted, 23))
}

/** e 2^i where 2^i may be below the exponents of float32: in two halves, and 0 where x says that nothing is left. */
function scaleLow(x: v128, e: v128, shifted: v128): v128 {
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
