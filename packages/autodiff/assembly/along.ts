import { copyRun } from './gather'

// Indices are checked before; should one be none after all, the last place in range is read or written in its stead.
// @ts-ignore: decorator
@inline
function placeAt(index: usize, last: u32): usize {
  return <usize>min<u32>(<u32>load<f32>(index), last)
}

/**
 * out[blocks, count, width]: element (b, k, i) is x[b, index, i] of x[blocks, size, width], where the index stands at
 * indices[b * block + k * step + i * next]: with next 0 it is one for a run of width elements.
 */
export function takeAlong(
  x: usize, indices: usize, out: usize, blocks: i32, count: i32, size: i32, width: i32,
  block: i32, step: i32, next: i32,
): void {
  const last = <u32>(size - 1)
  const row = <usize>width << 2
  for (let b = 0; b < blocks; b++) {
    for (let k = 0; k < count; k++) {
      let index = indices + (<usize>(b * block + k * step) << 2)
      if (next == 0 && width > 1) copyRun(x + placeAt(index, last) * row, out, width)
      else for (let i = 0; i < width; i++) {
        store<f32>(out + (<usize>i << 2), load<f32>(x + placeAt(index, last) * row + (<usize>i << 2)))
        index += <usize>next << 2
      }
      out += row
    }
    x += <usize>size * row
  }
}

/** out[blocks, size, width], zeros plus each element of g where takeAlong took it, added in row-major order. */
export function addAlong(
  g: usize, indices: usize, out: usize, blocks: i32, count: i32, size: i32, width: i32,
  block: i32, step: i32, next: i32,
): void {
  const last = <u32>(size - 1)
  const row = <usize>width << 2
  memory.fill(out, 0, <usize>blocks * <usize>size * row)
  for (let b = 0; b < blocks; b++) {
    for (let k = 0; k < count; k++) {
      let index = indices + (<usize>(b * block + k * step) << 2)
      let i = 0
      if (next == 0) {
        const to = out + placeAt(index, last) * row
        for (; i + 4 <= width; i += 4) {
          const at = <usize>i << 2
          v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(g + at)))
        }
      }
      for (; i < width; i++) {
        const at = out + placeAt(index, last) * row + (<usize>i << 2)
        store<f32>(at, load<f32>(at) + load<f32>(g + (<usize>i << 2)))
        index += <usize>next << 2
      }
      g += row
    }
    out += <usize>size * row
  }
}
