/** The first `width` of four floats, others 0; nothing beyond them is read. */
// @ts-ignore: decorator
@inline
export function loadPart(at: usize, width: i32): v128 {
  if (width >= 4) return v128.load(at)
  if (width == 1) return v128.load_zero<f32>(at)
  const pair = v128.load_zero<f64>(at)
  return width == 2 ? pair : v128.load_lane<f32>(at, pair, 2, 8)
}

/** Stores, or adds to what is there, four sums. */
// @ts-ignore: decorator
@inline
export function put(at: usize, value: v128, add: bool): void {
  v128.store(at, add ? f32x4.add(v128.load(at), value) : value)
}

/** The same for the first `width`. */
// @ts-ignore: decorator
@inline
export function putPart(at: usize, value: v128, width: i32, add: bool): void {
  const sum = add ? f32x4.add(loadPart(at, width), value) : value
  if (width >= 4) v128.store(at, sum)
  else if (width == 1) v128.store_lane<f32>(at, sum, 0)
  else {
    v128.store_lane<f64>(at, sum, 0)
    if (width == 3) v128.store_lane<f32>(at, sum, 2, 8)
  }
}
