const maxFloat = 3.4028234663852886e38

/**
 * The distance from |x| to the next float32 number above: a unit in the last place.
 *
 * @param x a finite number; subnormal ones, and 0, are 2^-149 apart
 * @example
 * ulpOf(1) // => 2 ** -23
 * ulpOf(0) // => 2 ** -149
 */
export function ulpOf(x: number): number {
  const size = Math.abs(x)
  if (size < 2 ** -126) return 2 ** -149
  // log2 may round up just below a power of two.
  let exponent = Math.floor(Math.log2(size))
  if (2 ** exponent > size) exponent--
  return 2 ** (Math.min(127, exponent) - 23)
}

/**
 * Whether a float32 result is what the float64 one rounds to, or within `ulps` of it. NaN equals NaN; infinities must
 * agree, but that a result may overflow up to `ulps` early or late; with no scale the sign of zero counts.
 *
 * @param actual a float32 number
 * @param expected the number in double precision
 * @param ulps how many units in the last place of `scale`
 * @param scale what rounding errors are relative to, where terms cancel; `expected` itself by default
 * @example
 * withinUlps(Math.fround(0.1), 0.1, 0) // => true
 * withinUlps(Math.fround(0.1) + 2 ** -27, 0.1, 0) // => false
 * withinUlps(-0, 0, 4) // => false
 * withinUlps(Infinity, 1e39, 0) // => true
 */
export function withinUlps(actual: number, expected: number, ulps: number, scale?: number): boolean {
  const rounded = Math.fround(expected)
  if (Object.is(actual, rounded)) return true
  if (Number.isNaN(actual) || Number.isNaN(rounded)) return false
  if (actual === rounded) return scale !== undefined
  if (!Number.isFinite(expected)) return false
  // An infinite result stands for the first number beyond float32, an infinite rounding for what was rounded.
  const finite = Number.isFinite(actual) ? actual : Math.sign(actual) * (maxFloat + ulpOf(maxFloat))
  const wanted = Number.isFinite(rounded) ? rounded : expected
  const unit = ulpOf(Math.max(Math.abs(expected), scale !== undefined && Number.isFinite(scale) ? scale : 0))
  return Math.abs(finite - wanted) <= ulps * unit
}
