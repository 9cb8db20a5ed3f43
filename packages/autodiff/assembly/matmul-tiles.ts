import { multiplyAdd } from './multiply-add'

/**
 * Stores one vector of a finished tile. The first block of k overwrites, the later ones add.
 */
// @ts-ignore: decorator
@inline
function put(out: usize, value: v128, add: bool): void {
  v128.store(out, add ? f32x4.add(v128.load(out), value) : value)
}

/**
 * Leaves out[0..4, 0..8] = (add ? out : 0) + A B of one block of k, both operands packed.
 *
 * The shape of this loop was measured on V8: eight accumulators (a ninth is spilled onto the critical
 * chain), bodies separated by an exit (straight unrolling lets the scheduler hoist loads until it spills),
 * a pointer compare instead of a counter.
 *
 * @param a panel [k, 4] of the left operand, @param end its end; never empty
 * @param b panel [k, 8] of the right operand
 * @param row bytes between rows of out
 */
export function tile4x8(a: usize, b: usize, end: usize, out: usize, row: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0)
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0)
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0)
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0)
  let s: v128, b0: v128, b1: v128
  do {
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    c01 = multiplyAdd(s, b1, c01)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    c11 = multiplyAdd(s, b1, c11)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    c21 = multiplyAdd(s, b1, c21)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    c31 = multiplyAdd(s, b1, c31)
    a += 16
    b += 32
    if (a == end) break
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    c01 = multiplyAdd(s, b1, c01)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    c11 = multiplyAdd(s, b1, c11)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    c21 = multiplyAdd(s, b1, c21)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    c31 = multiplyAdd(s, b1, c31)
    a += 16
    b += 32
    if (a == end) break
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    c01 = multiplyAdd(s, b1, c01)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    c11 = multiplyAdd(s, b1, c11)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    c21 = multiplyAdd(s, b1, c21)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    c31 = multiplyAdd(s, b1, c31)
    a += 16
    b += 32
    if (a == end) break
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    c01 = multiplyAdd(s, b1, c01)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    c11 = multiplyAdd(s, b1, c11)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    c21 = multiplyAdd(s, b1, c21)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    c31 = multiplyAdd(s, b1, c31)
    a += 16
    b += 32
  } while (a != end)
  put(out, c00, add)
  put(out + 16, c01, add)
  out += row
  put(out, c10, add)
  put(out + 16, c11, add)
  out += row
  put(out, c20, add)
  put(out + 16, c21, add)
  out += row
  put(out, c30, add)
  put(out + 16, c31, add)
}

/** The same for the last panel of a width of at most four: out[0..4, 0..4], b is [k, 4]. */
export function tile4x4(a: usize, b: usize, end: usize, out: usize, row: usize, add: bool): void {
  let c00 = f32x4.splat(0)
  let c10 = f32x4.splat(0)
  let c20 = f32x4.splat(0)
  let c30 = f32x4.splat(0)
  let s: v128, b0: v128
  do {
    b0 = v128.load(b)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    a += 16
    b += 16
    if (a == end) break
    b0 = v128.load(b)
    s = v128.load_splat<f32>(a)
    c00 = multiplyAdd(s, b0, c00)
    s = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(s, b0, c10)
    s = v128.load_splat<f32>(a, 8)
    c20 = multiplyAdd(s, b0, c20)
    s = v128.load_splat<f32>(a, 12)
    c30 = multiplyAdd(s, b0, c30)
    a += 16
    b += 16
  } while (a != end)
  put(out, c00, add)
  out += row
  put(out, c10, add)
  out += row
  put(out, c20, add)
  out += row
  put(out, c30, add)
}
