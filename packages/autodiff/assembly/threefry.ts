// @ts-ignore: decorator
@inline
function turned(y: v128, by: i32, x: v128): v128 {
  return v128.xor(v128.or(i32x4.shl(y, by), i32x4.shr_u(y, 32 - by)), x)
}

/** The first `count` lanes. */
// @ts-ignore: decorator
@inline
function storeWords(out: usize, words: v128, count: i32): void {
  if (count >= 4) {
    v128.store(out, words)
    return
  }
  if (count > 0) v128.store_lane<i32>(out, words, 0)
  if (count > 1) v128.store_lane<i32>(out, words, 1, 4)
  if (count > 2) v128.store_lane<i32>(out, words, 2, 8)
}

/**
 * out[count]: random words, four blocks of Threefry-2x32 (20 rounds) at once: words 2b and 2b + 1 are threefry(key, [b, 0]).
 *
 * @param chooses write numbers in their place: 1 where the word, unsigned, is at most `most`, else 0
 */
export function randomBits(out: usize, count: i32, high: i32, low: i32, most: i32, chooses: bool): void {
  const parity = high ^ low ^ 0x1bd11bda
  const start = i32x4.splat(low)
  const limit = i32x4.splat(most)
  const one = f32x4.splat(1)
  let block = i32x4(0, 1, 2, 3)
  for (; count > 0; count -= 8) {
    let x = i32x4.add(block, i32x4.splat(high))
    let y = start
    // The three words of the key take turns.
    let a = high
    let b = low
    let c = parity
    for (let group = 1; ; group += 2) {
      x = i32x4.add(x, y)
      y = turned(y, 13, x)
      x = i32x4.add(x, y)
      y = turned(y, 15, x)
      x = i32x4.add(x, y)
      y = turned(y, 26, x)
      x = i32x4.add(x, y)
      y = turned(y, 6, x)
      x = i32x4.add(x, i32x4.splat(b))
      y = i32x4.add(y, i32x4.splat(c + group))
      if (group == 5) break
      x = i32x4.add(x, y)
      y = turned(y, 17, x)
      x = i32x4.add(x, y)
      y = turned(y, 29, x)
      x = i32x4.add(x, y)
      y = turned(y, 16, x)
      x = i32x4.add(x, y)
      y = turned(y, 24, x)
      x = i32x4.add(x, i32x4.splat(c))
      y = i32x4.add(y, i32x4.splat(a + group + 1))
      const last = c
      c = b
      b = a
      a = last
    }
    let first = v128.shuffle<i32>(x, y, 0, 4, 1, 5)
    let second = v128.shuffle<i32>(x, y, 2, 6, 3, 7)
    if (chooses) {
      first = v128.and(i32x4.le_u(first, limit), one)
      second = v128.and(i32x4.le_u(second, limit), one)
    }
    storeWords(out, first, count)
    storeWords(out + 16, second, count - 4)
    out += 32
    block = i32x4.add(block, i32x4.splat(4))
  }
}
