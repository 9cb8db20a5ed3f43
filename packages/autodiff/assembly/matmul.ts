import { across } from './matmul-across'
import { blocked, blockedScratch, blockOfK } from './matmul-blocked'
import { direct } from './matmul-direct'
import { copyRow, copySize, copyTransposed } from './matmul-pack'

/** Elements of B up to which it is read in place, row after row of tiles: 64 KiB stay in a near cache (measured). */
const directElements: i32 = 16384
/** The same where B is copied first, which then costs more than packing it. */
const copiedElements: i32 = 8192
/** Elements of a transposed A from which its rows no longer stay in the nearest cache, where tiles read them across. */
const acrossElements: i32 = 12288

/** So few rows of A, and columns of B so close together, that reading B again for every four rows costs less than packing it. */
const fewRows: i32 = 32
const closeColumns: i32 = 256
/** Elements of B up to which that holds: 512 KiB stay in the second-level cache. */
const fewRowsElements: i32 = 131072

/** Whether a product runs without blocking: B stays near, or is read but once or twice. Sizes of an operand fit into 2^30. */
// @ts-ignore: decorator
@inline
function isDirect(m: i32, n: i32, k: i32, transposeA: bool, transposeB: bool): bool {
  if (m < 8 || n == 1) return true
  if (transposeB) return k * n <= copiedElements
  if (transposeA && n >= 32 && m * k > acrossElements) return false
  return k * n <= (m <= fewRows && n <= closeColumns ? fewRowsElements : directElements)
}

/** Whether the direct product reads B from a transposed copy. */
// @ts-ignore: decorator
@inline
function copiesB(m: i32, n: i32, k: i32, transposeB: bool): bool {
  return transposeB && m >= 8 && n > 1 && k > 1
}

/**
 * Bytes of scratch with which `matmul` is fastest; 0 where it needs none. Without scratch it is right too,
 * and slower.
 */
export function matmulScratch(m: i32, n: i32, k: i32, transposeA: bool, transposeB: bool): usize {
  if (!isDirect(m, n, k, transposeA, transposeB)) return blockedScratch(m, n, k)
  return copiesB(m, n, k, transposeB) ? copySize(n, k) : 0
}

/**
 * Writes out[m, n] = op(a) op(b), row-major, where op transposes if its flag is set: a is stored
 * [m, k] or [k, m], b [k, n] or [n, k].
 *
 * Each element is the sum over blocks of k (equal ones of at most 256) of sums in increasing k, whatever
 * path, tile or thread computes it: its bits depend on its row of op(a) and its column of op(b) alone.
 *
 * @param scratch `matmulScratch(m, n, k, transposeA, transposeB)` bytes or more, or 0 for none
 */
export function matmul(
  a: usize, b: usize, out: usize, m: i32, n: i32, k: i32, transposeA: bool, transposeB: bool, scratch: usize,
): void {
  if (m <= 0 || n <= 0) return
  if (k <= 0) {
    memory.fill(out, 0, (<usize>m * <usize>n) << 2)
    return
  }
  let aRow: usize = transposeA ? 4 : <usize>k << 2
  let aStep: usize = transposeA ? <usize>m << 2 : 4
  let bStep: usize = transposeB ? 4 : <usize>n << 2
  let bColumn: usize = transposeB ? <usize>k << 2 : 4
  if (scratch != 0 && !isDirect(m, n, k, transposeA, transposeB)) {
    blocked(a, aRow, aStep, b, bStep, bColumn, out, m, n, k, scratch)
    return
  }
  if (n == 1) {
    // A column is computed as the row out' = b' a': lanes then run over m.
    const left = a
    a = b
    b = left
    n = m
    m = 1
    bColumn = aRow
    const step = bStep
    bStep = aStep
    aStep = step
  } else if (scratch != 0 && copiesB(m, n, k, transposeB)) {
    b = copyTransposed(b, bColumn, n, k, scratch)
    bStep = copyRow(n)
    bColumn = 4
  }
  const depth = blockOfK(k)
  for (let p = 0; p < k; p += depth) {
    const length = min(depth, k - p)
    const left = a + <usize>p * aStep
    const right = b + <usize>p * bStep
    if (bColumn == 4) direct(left, aRow, aStep, right, bStep, out, m, n, length, p > 0)
    else across(left, aRow, aStep, right, bColumn, out, m, n, length, p > 0)
  }
}
