/**
 * Packs one panel of an operand: out[p, 0..width] for p below k, the order in which a tile reads it.
 * Lanes beyond the operand's edge become zeros, so that tiles need no edge case.
 *
 * @param lane bytes between neighbouring lanes in the source, @param step bytes between neighbouring p
 * @param lanes how many of the width lanes exist
 * @param width 4 or 8
 */
export function packPanel(src: usize, lane: usize, step: usize, lanes: i32, k: i32, out: usize, width: i32): void {
  if (lane == 4 && lanes == width) {
    if (width == 8) packWide(src, step, k, out)
    else packNarrow(src, step, k, out)
    return
  }
  packQuad(src, lane, step, lanes, k, out, <usize>width << 2)
  if (width == 8) packQuad(src + (lane << 2), lane, step, lanes - 4, k, out + 16, 32)
}

function packWide(src: usize, step: usize, k: i32, out: usize): void {
  for (let p = 0; p < k; p++) {
    v128.store(out, v128.load(src))
    v128.store(out, v128.load(src, 16), 16)
    src += step
    out += 32
  }
}

function packNarrow(src: usize, step: usize, k: i32, out: usize): void {
  for (let p = 0; p < k; p++) {
    v128.store(out, v128.load(src))
    src += step
    out += 16
  }
}

/** Bytes of a row of a transposed copy: n floats, rounded up to whole vectors. */
export function copyRow(n: i32): usize {
  return (((<usize>n + 3) >> 2) << 4)
}

/** Bytes of a transposed copy [k, n]. */
export function copySize(n: i32, k: i32): usize {
  return <usize>k * copyRow(n)
}

/** Copies b, stored [n, k] with rows `lane` bytes apart, to out as [k, n] with rows of copyRow(n) bytes. */
export function copyTransposed(b: usize, lane: usize, n: i32, k: i32, out: usize): usize {
  const row = copyRow(n)
  for (let j = 0; j < n; j += 4) {
    packQuad(b + <usize>j * lane, lane, 4, n - j, k, out + (<usize>j << 2), row)
  }
  return out
}

/** Four lanes of a panel whose rows are `row` bytes apart: by transposed 4x4 blocks where k is contiguous. */
function packQuad(src: usize, lane: usize, step: usize, lanes: i32, k: i32, out: usize, row: usize): void {
  let p = 0
  if (lanes >= 4 && step == 4) {
    const src1 = src + lane
    const src2 = src1 + lane
    const src3 = src2 + lane
    for (; p + 4 <= k; p += 4) {
      const at = <usize>p << 2
      const r0 = v128.load(src + at)
      const r1 = v128.load(src1 + at)
      const r2 = v128.load(src2 + at)
      const r3 = v128.load(src3 + at)
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
      v128.store(out, v128.shuffle<i64>(low01, low23, 0, 2))
      v128.store(out + row, v128.shuffle<i64>(low01, low23, 1, 3))
      v128.store(out + (row << 1), v128.shuffle<i64>(high01, high23, 0, 2))
      v128.store(out + 3 * row, v128.shuffle<i64>(high01, high23, 1, 3))
      out += row << 2
    }
  }
  for (; p < k; p++) {
    const at = src + <usize>p * step
    store<f32>(out, lanes > 0 ? load<f32>(at) : 0)
    store<f32>(out, lanes > 1 ? load<f32>(at + lane) : 0, 4)
    store<f32>(out, lanes > 2 ? load<f32>(at + (lane << 1)) : 0, 8)
    store<f32>(out, lanes > 3 ? load<f32>(at + 3 * lane) : 0, 12)
    out += row
  }
}
