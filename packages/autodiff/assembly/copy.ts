import { copyRun } from './gather'

/** Writes n times value. */
export function fill(out: usize, n: i32, value: f32): void {
  if (n >= 256 && reinterpret<u32>(value) == 0) {
    memory.fill(out, 0, <usize>n << 2)
    return
  }
  const v = f32x4.splat(value)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(out + (<usize>i << 2), v)
  for (; i < n; i++) store<f32>(out + (<usize>i << 2), value)
}

/**
 * Copies n0 x n1 x n2 x n3 elements between arrays of any layout: strides in elements, of the source 0
 * (broadcast) or negative (reversed) too. Broadcasting, transposing, slicing, padding and joining are this.
 *
 * Axes of length 1 are dropped and axes that continue each other joined; then, since the order of copying does
 * not matter, the axis along which the source lies side by side becomes the third, so that a transpose is one
 * of the two last axes.
 */
export function stridedCopy(
  src: usize, dst: usize, n0: i32, n1: i32, n2: i32, n3: i32,
  s0: i32, s1: i32, s2: i32, s3: i32, d0: i32, d1: i32, d2: i32, d3: i32,
): void {
  if (n0 <= 0 || n1 <= 0 || n2 <= 0 || n3 <= 0) return
  if (n1 == 1 || (n0 > 1 && s0 == s1 * n1 && d0 == d1 * n1)) {
    if (n1 == 1) { s1 = s0; d1 = d0 }
    n1 *= n0; n0 = 1
  }
  if (n2 == 1 || (s1 == s2 * n2 && d1 == d2 * n2)) {
    if (n2 == 1) { s2 = s1; d2 = d1 }
    n2 *= n1; n1 = n0; s1 = s0; d1 = d0; n0 = 1
  }
  if (n3 == 1 || (s2 == s3 * n3 && d2 == d3 * n3)) {
    if (n3 == 1) { s3 = s2; d3 = d2 }
    n3 *= n2; n2 = n1; s2 = s1; d2 = d1; n1 = n0; s1 = s0; d1 = d0; n0 = 1
  }
  let swap = 0
  if (d3 != 1 && d2 == 1) {
    swap = n2; n2 = n3; n3 = swap
    swap = s2; s2 = s3; s3 = swap
    swap = d2; d2 = d3; d3 = swap
  }
  if (s3 != 1 && s2 != 1 && s3 != 0) {
    if (s1 == 1 && n1 > 1) {
      swap = n1; n1 = n2; n2 = swap
      swap = s1; s1 = s2; s2 = swap
      swap = d1; d1 = d2; d2 = swap
    } else if (s0 == 1 && n0 > 1) {
      swap = n0; n0 = n2; n2 = swap
      swap = s0; s0 = s2; s2 = swap
      swap = d0; d0 = d2; d2 = swap
    }
  }
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const from = src + (<usize>(i * s0 + j * s1) << 2)
      const to = dst + (<usize>(i * d0 + j * d1) << 2)
      if (s2 == 1 && d3 == 1 && s3 != 1 && s3 != 0) transpose(from, to, n2, n3, <usize>s3 << 2, <usize>d2 << 2)
      else plane(from, to, n2, n3, <usize>s2 << 2, <usize>s3 << 2, <usize>d2 << 2, <usize>d3 << 2)
    }
  }
}

/** rows x columns elements, the inner loop by what its strides allow. Strides in bytes. */
function plane(
  src: usize, dst: usize, rows: i32, columns: i32,
  srcRow: usize, srcStep: usize, dstRow: usize, dstStep: usize,
): void {
  for (; rows > 0; rows--) {
    if (dstStep == 4 && srcStep == 4) copyRun(src, dst, columns)
    else if (dstStep == 4 && srcStep == 0) fill(dst, columns, load<f32>(src))
    else {
      let from = src
      let to = dst
      for (let j = 0; j < columns; j++) {
        store<f32>(to, load<f32>(from))
        from += srcStep
        to += dstStep
      }
    }
    src += srcRow
    dst += dstRow
  }
}

/** Side of the blocks of a transpose: a cache line, so that lines are used up at once even where they collide. */
const side: i32 = 16

/** dst[i, j] = src[j, i] for rows x columns of dst, in blocks of 16x16, and these in registers by 4x4. */
function transpose(src: usize, dst: usize, rows: i32, columns: i32, srcRow: usize, dstRow: usize): void {
  for (let i = 0; i < rows; i += side) {
    const height = min(side, rows - i)
    for (let j = 0; j < columns; j += side) {
      const from = src + <usize>j * srcRow + (<usize>i << 2)
      transposeBlock(from, dst + <usize>i * dstRow + (<usize>j << 2), height, min(side, columns - j), srcRow, dstRow)
    }
  }
}

function transposeBlock(src: usize, dst: usize, rows: i32, columns: i32, srcRow: usize, dstRow: usize): void {
  let j = 0
  for (; j + 4 <= columns; j += 4) {
    let from = src
    let to = dst
    let i = 0
    for (; i + 4 <= rows; i += 4) {
      const r0 = v128.load(from)
      const r1 = v128.load(from + srcRow)
      const r2 = v128.load(from + (srcRow << 1))
      const r3 = v128.load(from + 3 * srcRow)
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
      v128.store(to, v128.shuffle<i64>(low01, low23, 0, 2))
      v128.store(to + dstRow, v128.shuffle<i64>(low01, low23, 1, 3))
      v128.store(to + (dstRow << 1), v128.shuffle<i64>(high01, high23, 0, 2))
      v128.store(to + 3 * dstRow, v128.shuffle<i64>(high01, high23, 1, 3))
      from += 16
      to += dstRow << 2
    }
    for (; i < rows; i++) {
      store<f32>(to, load<f32>(from))
      store<f32>(to, load<f32>(from + srcRow), 4)
      store<f32>(to, load<f32>(from + (srcRow << 1)), 8)
      store<f32>(to, load<f32>(from + 3 * srcRow), 12)
      from += 4
      to += dstRow
    }
    src += srcRow << 2
    dst += 16
  }
  for (; j < columns; j++) {
    for (let i = 0; i < rows; i++) store<f32>(dst + <usize>i * dstRow, load<f32>(src + (<usize>i << 2)))
    src += srcRow
    dst += 4
  }
}
