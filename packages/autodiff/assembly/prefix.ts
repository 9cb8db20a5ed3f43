import { high, low, narrow } from './double'

/** s + x. */
export const kindSum: i32 = 0
/** s x. */
export const kindProduct: i32 = 1

/**
 * Writes out[outer, n, inner]: at each place along n what has come together up to there, in float64, one after the other. From s = 0
 * (1 for products) it goes on to s + x (kind 0), s x (kind 1), or x + a s (kind 2).
 *
 * @param exclusive writes s before it goes on, rather than after
 * @param reverse from the last place to the first
 */
export function prefix(
  x: usize, a: usize, out: usize, outer: i32, n: i32, inner: i32, kind: i32, exclusive: bool, reverse: bool,
): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  const first = reverse ? block - row : 0
  const step = reverse ? -row : row
  for (let o = 0; o < outer; o++) {
    let j = 0
    for (; j + 4 <= inner; j += 4) {
      let at = first + (<usize>j << 2)
      let s0 = f64x2.splat(kind == kindProduct ? 1 : 0)
      let s1 = s0
      for (let i = 0; i < n; i++) {
        const v = v128.load(x + at)
        if (exclusive) v128.store(out + at, narrow(s0, s1))
        if (kind == kindSum) {
          s0 = f64x2.add(s0, low(v))
          s1 = f64x2.add(s1, high(v))
        } else if (kind == kindProduct) {
          s0 = f64x2.mul(s0, low(v))
          s1 = f64x2.mul(s1, high(v))
        } else {
          const by = v128.load(a + at)
          s0 = f64x2.add(low(v), f64x2.mul(low(by), s0))
          s1 = f64x2.add(high(v), f64x2.mul(high(by), s1))
        }
        if (!exclusive) v128.store(out + at, narrow(s0, s1))
        at += step
      }
    }
    for (; j < inner; j++) {
      let at = first + (<usize>j << 2)
      let s: f64 = kind == kindProduct ? 1 : 0
      for (let i = 0; i < n; i++) {
        const v = <f64>load<f32>(x + at)
        if (exclusive) store<f32>(out + at, <f32>s)
        if (kind == kindSum) s += v
        else if (kind == kindProduct) s *= v
        else s = v + <f64>load<f32>(a + at) * s
        if (!exclusive) store<f32>(out + at, <f32>s)
        at += step
      }
    }
    x += block
    a += block
    out += block
  }
}
