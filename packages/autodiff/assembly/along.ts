/**
 * Copies between packed[blocks, count, width] and spread[blocks, size, width]: element (b, k, i) of the first and (b, index, i)
 * of the second, where the index stands at indices[b * block + k * step + i * next]; with next 0 it is one for a run of width
 * elements. With add 0 what is spread is packed. With add 1 spread is filled with zeros, and what is packed added there in
 * row-major order. Indices are checked before; one that is none after all is taken for one in range.
 */
export function along(
  packed: usize, indices: usize, spread: usize, blocks: i32, count: i32, size: i32, width: i32,
  block: i32, step: i32, next: i32, add: i32,
): void {
  const row = <usize>width << 2
  if (add) memory.fill(spread, 0, <usize>blocks * <usize>size * row)
  for (let b = 0; b < blocks; b++) {
    for (let k = 0; k < count; k++) {
      const first = b * block + k * step
      let at: usize = 0
      for (let i = 0; i < width; i++) {
        if (i == 0 || next) {
          const index = <u32>load<f32>(indices + (<usize>(first + i * next) << 2))
          at = spread + <usize>min<u32>(index, size - 1) * row + (<usize>i << 2)
        }
        if (add) store<f32>(at, load<f32>(at) + load<f32>(packed))
        else store<f32>(packed, load<f32>(at))
        packed += 4
        at += 4
      }
    }
    spread += <usize>size * row
  }
}
