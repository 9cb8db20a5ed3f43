/*
 * A line is sorted as pairs of 64 bits: above a key that orders as the numbers do, below the place, by which equals keep their
 * order.
 */

/** Lines up to here are sorted by insertion. */
const shortLine: i32 = 48

/** Bytes that argSort works in. */
export function argSortScratch(n: i32): usize {
  return n <= shortLine ? <usize>n << 3 : (<usize>n << 4) + 1024
}

/** Bits that order as unsigned numbers: -0 with 0, NaN above everything. */
// @ts-ignore: decorator
@inline
function keyOf(x: f32): u32 {
  if (x != x) return 0xffffffff
  const bits = reinterpret<u32>(x + 0)
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000)
}

function insert(pairs: usize, n: i32): void {
  for (let i = 1; i < n; i++) {
    let at = pairs + (<usize>i << 3)
    const pair = load<u64>(at)
    for (; at > pairs && load<u64>(at - 8) > pair; at -= 8) store<u64>(at, load<u64>(at - 8))
    store<u64>(at, pair)
  }
}

/** Four passes over the bytes of the key, the lowest first; each keeps the order of equals. */
function radix(pairs: usize, n: i32, other: usize, counts: usize): void {
  const end = <usize>n << 3
  for (let shift: u64 = 32; shift < 64; shift += 8) {
    memory.fill(counts, 0, 1024)
    for (let at: usize = 0; at < end; at += 8) {
      const count = counts + (<usize>((load<u64>(pairs + at) >> shift) & 255) << 2)
      store<u32>(count, load<u32>(count) + 8)
    }
    let next: u32 = 0
    for (let i: usize = 0; i < 1024; i += 4) {
      const count = load<u32>(counts + i)
      store<u32>(counts + i, next)
      next += count
    }
    for (let at: usize = 0; at < end; at += 8) {
      const pair = load<u64>(pairs + at)
      const count = counts + (<usize>((pair >> shift) & 255) << 2)
      const to = load<u32>(count)
      store<u64>(other + <usize>to, pair)
      store<u32>(count, to + 8)
    }
    const swap = pairs
    pairs = other
    other = swap
  }
}

/**
 * out[outer, n, inner]: along n the places of x's elements in increasing order, or decreasing; equals keep their order. NaN is
 * the largest.
 *
 * @param scratch argSortScratch(n) bytes
 */
export function argSort(x: usize, out: usize, outer: i32, n: i32, inner: i32, descending: bool, scratch: usize): void {
  const step = <usize>inner << 2
  const flip: u32 = descending ? 0xffffffff : 0
  const size = <usize>n << 3
  for (; outer > 0; outer--) {
    for (let line: usize = 0; line < step; line += 4) {
      for (let i = 0; i < n; i++) {
        const key = keyOf(load<f32>(x + line + <usize>i * step)) ^ flip
        store<u64>(scratch + (<usize>i << 3), (<u64>key << 32) | <u64>i)
      }
      if (n <= shortLine) insert(scratch, n)
      else radix(scratch, n, scratch + size, scratch + (size << 1))
      for (let i = 0; i < n; i++) {
        store<f32>(out + line + <usize>i * step, <f32>load<u32>(scratch + (<usize>i << 3)))
      }
    }
    x += <usize>n * step
    out += <usize>n * step
  }
}
