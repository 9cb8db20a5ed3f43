import { high, low, narrow } from './double'
import { loadPart, putPart } from './vector-part'

/** s + x. */
export const kindSum: i32 = 0
/** s x. */
export const kindProduct: i32 = 1

/** Columns that are worked on together, as in `softmaxColumns`. */
const width: i32 = 1024

/**
 * Writes out[outer, n, inner]: at each place along n what has come together up to there, in float64, one after the other. From s = 0
 * (1 for products) it goes on to s + x (kind 0), s x (kind 1), or x + a s (kind 2).
 *
 * @param exclusive writes s before it goes on, rather than after
 * @param reverse from the last place to the first
 * @param state 8 bytes for each column, of 4 to 1024 of them; none where inner is 1
 */
export function prefix(
  x: usize, a: usize, out: usize, outer: i32, n: i32, inner: i32, kind: i32, exclusive: bool, reverse: bool, state: usize,
): void {
  const row = <usize>inner << 2
  const block = <usize>n * row
  const first = reverse ? block - row : 0
  const step = reverse ? -row : row
  for (let o = 0; o < outer; o++) {
    if (inner == 1) line(x + first, a + first, out + first, n, step, kind, exclusive)
    else {
      for (let j = 0; j < inner; j += width) {
        const at = first + (<usize>j << 2)
        columns(x + at, a + at, out + at, n, step, min(width, inner - j), kind, exclusive, state)
      }
    }
    x += block
    a += block
    out += block
  }
}

function line(x: usize, a: usize, out: usize, n: i32, step: usize, kind: i32, exclusive: bool): void {
  let s: f64 = kind == kindProduct ? 1 : 0
  for (; n > 0; n--) {
    const v = <f64>load<f32>(x)
    if (exclusive) store<f32>(out, <f32>s)
    if (kind == kindSum) s += v
    else if (kind == kindProduct) s *= v
    else s = v + <f64>load<f32>(a) * s
    if (!exclusive) store<f32>(out, <f32>s)
    x += step
    a += step
    out += step
  }
}

function columns(
  x: usize, a: usize, out: usize, n: i32, step: usize, count: i32, kind: i32, exclusive: bool, state: usize,
): void {
  const initial = f64x2.splat(kind == kindProduct ? 1 : 0)
  for (let j = 0; j < count; j += 2) v128.store(state + (<usize>j << 3), initial)
  for (; n > 0; n--) {
    for (let j = 0; j < count; j += 4) {
      const place = <usize>j << 2
      const at = state + (place << 1)
      const v = loadPart(x + place, count - j)
      let s0 = v128.load(at)
      let s1 = v128.load(at, 16)
      if (exclusive) putPart(out + place, narrow(s0, s1), count - j, false)
      if (kind == kindSum) {
        s0 = f64x2.add(s0, low(v))
        s1 = f64x2.add(s1, high(v))
      } else if (kind == kindProduct) {
        s0 = f64x2.mul(s0, low(v))
        s1 = f64x2.mul(s1, high(v))
      } else {
        const by = loadPart(a + place, count - j)
        s0 = f64x2.add(low(v), f64x2.mul(low(by), s0))
        s1 = f64x2.add(high(v), f64x2.mul(high(by), s1))
      }
      v128.store(at, s0)
      v128.store(at, s1, 16)
      if (!exclusive) putPart(out + place, narrow(s0, s1), count - j, false)
    }
    x += step
    a += step
    out += step
  }
}
