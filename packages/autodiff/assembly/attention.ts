import { rowMax } from './reduce-max'
import { softmax } from './softmax'

/**
 * x[rows, n] = softmax of each row of scale x, where a mask says so: an element that is not attended to is 0, and so is a row
 * that has none, or nothing above -Infinity. In place.
 *
 * @param mask 0 for none; an element of 0 hides, any other shows
 * @param maskRow bytes from a row of the mask to the next, `maskColumn` from an element to the next: 0 repeats
 * @param causal row i sees the elements up to i only
 */
export function maskedSoftmax(
  x: usize, rows: i32, n: i32, scale: f32, mask: usize, maskRow: usize, maskColumn: usize, causal: bool,
): void {
  const factor = f32x4.splat(scale)
  for (let r = 0; r < rows; r++) {
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const at = x + (<usize>i << 2)
      v128.store(at, f32x4.mul(v128.load(at), factor))
    }
    for (; i < n; i++) {
      const at = x + (<usize>i << 2)
      store<f32>(at, load<f32>(at) * scale)
    }
    if (mask != 0) {
      for (let j = 0; j < n; j++) {
        if (load<f32>(mask + <usize>j * maskColumn) == 0) store<f32>(x + (<usize>j << 2), -Infinity)
      }
      mask += maskRow
    }
    if (causal) for (let j = r + 1; j < n; j++) store<f32>(x + (<usize>j << 2), -Infinity)
    if (n > 0 && rowMax(x, n, 0) == -Infinity) memory.fill(x, 0, <usize>n << 2)
    else softmax(x, x, 1, n)
    x += <usize>n << 2
  }
}

/**
 * g[rows, n] = scale p (g - sum of g p) of each row: the adjoint of `maskedSoftmax`, from its result p. In place.
 *
 * Where one weight is close to 1, g is close to that sum and they cancel. So the g of the largest weight is taken from all of
 * them first, which changes nothing, as weights sum to 1: what is left to sum then has small weights.
 */
export function softmaxGradient(p: usize, g: usize, rows: i32, n: i32, scale: f32): void {
  for (; rows > 0; rows--) {
    let first: usize = 0
    for (let at: usize = 4; at < <usize>n << 2; at += 4) if (load<f32>(p + at) > load<f32>(p + first)) first = at
    let pivot: f64 = n > 0 ? <f64>load<f32>(g + first) : 0
    if (pivot - pivot != 0) pivot = 0
    let sum: f64 = 0
    for (let at: usize = 0; at < <usize>n << 2; at += 4) sum += (<f64>load<f32>(g + at) - pivot) * <f64>load<f32>(p + at)
    for (let at: usize = 0; at < <usize>n << 2; at += 4) {
      const slope = <f64>load<f32>(p + at) * (<f64>load<f32>(g + at) - pivot - sum)
      store<f32>(g + at, <f32>(<f64>scale * slope))
    }
    p += <usize>n << 2
    g += <usize>n << 2
  }
}
