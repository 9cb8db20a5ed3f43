import { packPanel } from './matmul-pack'
import { tile4x4, tile4x8 } from './matmul-tiles'

/** Rows of A packed at once (with a block of k they stay in the second-level cache), columns of B packed at once. */
const rowBlock: i32 = 128
const columnBlock: i32 = 1024
/** The longest block of k: its panels, 8 k and 4 k floats, stay in the first-level cache. */
const depthBlock: i32 = 256

/** Blocks of equal length rather than full ones and a rest; the length depends on k alone. */
// @ts-ignore: decorator
@inline
export function blockOfK(k: i32): i32 {
  const blocks = (k + depthBlock - 1) / depthBlock
  return (k + blocks - 1) / blocks
}

// @ts-ignore: decorator
@inline
function roundUp(n: i32, multiple: i32): i32 {
  return (n + multiple - 1) & -multiple
}

/** Bytes that `blocked` packs into. */
export function blockedScratch(m: i32, n: i32, k: i32): usize {
  const rows = <usize>roundUp(min(m, rowBlock), 4)
  const columns = <usize>roundUp(min(n, columnBlock), 8)
  return ((rows + columns) * <usize>blockOfK(k) + 32) << 2
}

/**
 * out[m, n] = A B by packed panels and 4x8 tiles (Goto and van de Geijn 2008), any strides.
 *
 * @param aRow @param aStep bytes between rows of A, between neighbouring k
 * @param bStep @param bColumn bytes between neighbouring k of B, between its columns
 */
export function blocked(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize,
  out: usize, m: i32, n: i32, k: i32, scratch: usize,
): void {
  const depth = blockOfK(k)
  const edge = scratch
  const aPanels = scratch + 128
  const bPanels = aPanels + ((<usize>roundUp(min(m, rowBlock), 4) * <usize>depth) << 2)
  for (let j = 0; j < n; j += columnBlock) {
    const columns = min(columnBlock, n - j)
    for (let p = 0; p < k; p += depth) {
      const length = min(depth, k - p)
      packColumns(b + <usize>p * bStep + <usize>j * bColumn, bStep, bColumn, columns, length, bPanels)
      for (let i = 0; i < m; i += rowBlock) {
        const rows = min(rowBlock, m - i)
        packRows(a + <usize>i * aRow + <usize>p * aStep, aRow, aStep, rows, length, aPanels)
        tiles(aPanels, bPanels, out + ((<usize>i * <usize>n + <usize>j) << 2), n, rows, columns, length, p > 0, edge)
      }
    }
  }
}

function packRows(a: usize, row: usize, step: usize, rows: i32, k: i32, out: usize): void {
  for (let i = 0; i < rows; i += 4) {
    packPanel(a + <usize>i * row, row, step, min(4, rows - i), k, out, 4)
    out += <usize>k << 4
  }
}

function packColumns(b: usize, step: usize, column: usize, columns: i32, k: i32, out: usize): void {
  for (let j = 0; j < columns; j += 8) {
    const lanes = min(8, columns - j)
    // A last panel of at most four columns is packed, and multiplied, at half the width.
    packPanel(b + <usize>j * column, column, step, lanes, k, out, lanes > 4 ? 8 : 4)
    out += <usize>k << 5
  }
}

function tiles(
  a: usize, b: usize, out: usize, n: i32, rows: i32, columns: i32, k: i32, add: bool, edge: usize,
): void {
  const row = <usize>n << 2
  const panel = <usize>k << 4
  for (let j = 0; j < columns; j += 8) {
    const width = min(8, columns - j)
    let left = a
    for (let i = 0; i < rows; i += 4) {
      const at = out + <usize>i * row + (<usize>j << 2)
      if (width == 8 && rows - i >= 4) tile4x8(left, b, left + panel, at, row, add)
      else {
        if (width > 4) tile4x8(left, b, left + panel, edge, 32, false)
        else tile4x4(left, b, left + panel, edge, 32, false)
        copyEdge(edge, at, row, min(4, rows - i), width, add)
      }
      left += panel
    }
    b += <usize>k << 5
  }
}

/** The part of a tile that lies inside out. */
function copyEdge(edge: usize, out: usize, row: usize, rows: i32, columns: i32, add: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = out + (<usize>j << 2)
      const value = load<f32>(edge + (<usize>j << 2))
      store<f32>(at, add ? load<f32>(at) + value : value)
    }
    edge += 32
    out += row
  }
}
