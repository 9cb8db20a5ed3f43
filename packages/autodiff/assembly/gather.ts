/** The position of the first index that is no integer in [0, rows), or -1. */
export function firstBad(indices: usize, count: i32, rows: i32): i32 {
  const limit = <f64>rows
  for (let i = 0; i < count; i++) {
    const index = <f64>load<f32>(indices + (<usize>i << 2))
    // A comparison with NaN is false, so this form refuses it.
    if (!(index >= 0 && index < limit && index == floor(index))) return i
  }
  return -1
}

// @ts-ignore: decorator
@inline
function indexAt(indices: usize, i: i32): usize {
  return <usize>(<u32>load<f32>(indices + (<usize>i << 2)))
}

/** Copies width floats; a call of memory.copy costs more than a short loop. */
// @ts-ignore: decorator
@inline
export function copyRun(src: usize, out: usize, width: i32): void {
  if (width >= 256) {
    memory.copy(out, src, <usize>width << 2)
    return
  }
  let j = 0
  for (; j + 4 <= width; j += 4) v128.store(out + (<usize>j << 2), v128.load(src + (<usize>j << 2)))
  for (; j < width; j++) store<f32>(out + (<usize>j << 2), load<f32>(src + (<usize>j << 2)))
}

/**
 * out[count, width]: row i is row indices[i] of x[rows, width].
 *
 * @param indices count integers, stored as floats
 * @returns -1, or the position of the first index that is no integer in [0, rows); then nothing is written
 */
export function gather(x: usize, indices: usize, out: usize, count: i32, rows: i32, width: i32): i32 {
  const bad = firstBad(indices, count, rows)
  if (bad >= 0) return bad
  const row = <usize>width << 2
  for (let i = 0; i < count; i++) {
    copyRun(x + indexAt(indices, i) * row, out, width)
    out += row
  }
  return -1
}

/**
 * out[rows, width], zeros plus row i of g[count, width] at row indices[i], added in increasing i: the
 * adjoint of gather. Returns as gather does.
 */
export function scatterAdd(g: usize, indices: usize, out: usize, count: i32, rows: i32, width: i32): i32 {
  const bad = firstBad(indices, count, rows)
  if (bad >= 0) return bad
  const row = <usize>width << 2
  memory.fill(out, 0, <usize>rows * row)
  for (let i = 0; i < count; i++) {
    const to = out + indexAt(indices, i) * row
    let j = 0
    for (; j + 4 <= width; j += 4) {
      const at = to + (<usize>j << 2)
      v128.store(at, f32x4.add(v128.load(at), v128.load(g + (<usize>j << 2))))
    }
    for (; j < width; j++) {
      const at = to + (<usize>j << 2)
      store<f32>(at, load<f32>(at) + load<f32>(g + (<usize>j << 2)))
    }
    g += row
  }
  return -1
}

/** out[count, depth]: row i is 0 but for a 1 at indices[i]. Returns as gather does. */
export function oneHot(indices: usize, out: usize, count: i32, depth: i32): i32 {
  const bad = firstBad(indices, count, depth)
  if (bad >= 0) return bad
  const row = <usize>depth << 2
  memory.fill(out, 0, <usize>count * row)
  for (let i = 0; i < count; i++) {
    store<f32>(out + (indexAt(indices, i) << 2), 1)
    out += row
  }
  return -1
}
