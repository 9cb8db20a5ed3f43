import { log } from './exp'
import { rowMax } from './reduce-max'
import { storeExp, sumOfExp } from './softmax'

/** The least finite float32: stands in for a logarithm of 0 that a target of 0 takes no share of. */
const least: f64 = -3.4028234663852886e38

/**
 * out[rows]: -ln of the probability that softmax(x) gives to the label of each row.
 *
 * @param labels integers from 0 to n - 1, stored as floats
 */
export function labelCrossEntropy(x: usize, labels: usize, out: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const m = rowMax(x, n, 0)
    const sum = sumOfExp(x, n, m)
    const chosen = load<f32>(x + (<usize>(<u32>load<f32>(labels)) << 2))
    store<f32>(out, <f32>((sum == sum ? log(sum) : sum) - (<f64>chosen - <f64>m)))
    x += row
    labels += 4
    out += 4
  }
}

/** out[rows, n] = g[rows] (softmax(x) - one-hot of the label): the adjoint of `labelCrossEntropy`. */
export function labelCrossEntropyGradient(
  g: usize, x: usize, labels: usize, out: usize, rows: i32, n: i32,
): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const scale = <f32>(1 / storeExp(x, n, rowMax(x, n, 0), out))
    const factor = load<f32>(g)
    const at = out + (<usize>(<u32>load<f32>(labels)) << 2)
    const chosen = load<f32>(at) * scale - 1
    scaleRow(out, n, scale, factor)
    store<f32>(at, chosen * factor)
    x += row
    out += row
    labels += 4
    g += 4
  }
}

function scaleRow(out: usize, n: i32, scale: f32, factor: f32): void {
  const s = f32x4.splat(scale)
  const f = f32x4.splat(factor)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = out + (<usize>i << 2)
    v128.store(at, f32x4.mul(f32x4.mul(v128.load(at), s), f))
  }
  for (; i < n; i++) {
    const at = out + (<usize>i << 2)
    store<f32>(at, load<f32>(at) * scale * factor)
  }
}

/** x - m - l, finite where the target is 0: times 0 that is 0. */
// @ts-ignore: decorator
@inline
function logarithmOf(x: f32, m: f32, l: f64, target: f32): f64 {
  const logarithm = <f64>x - <f64>m - l
  return target == 0 && logarithm < least ? least : logarithm
}

/** out[rows]: -sum of target ln softmax(x) of each row; 0 ln 0 is 0. */
export function crossEntropy(x: usize, target: usize, out: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const m = rowMax(x, n, 0)
    const sum = sumOfExp(x, n, m)
    const l = sum == sum ? log(sum) : sum
    let total: f64 = 0
    for (let i = 0; i < n; i++) {
      const at = <usize>i << 2
      const p = load<f32>(target + at)
      total += <f64>p * logarithmOf(load<f32>(x + at), m, l, p)
    }
    store<f32>(out, <f32>(0 - total))
    x += row
    target += row
    out += 4
  }
}

/** out[rows, n] = g[rows] (softmax(x) (sum of target) - target): the adjoint of `crossEntropy` for x. */
export function crossEntropyGradient(g: usize, x: usize, target: usize, out: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const inverse = 1 / storeExp(x, n, rowMax(x, n, 0), out)
    let sum: f64 = 0
    for (let i = 0; i < n; i++) sum += <f64>load<f32>(target + (<usize>i << 2))
    const scale = <f32>(inverse * sum)
    const factor = load<f32>(g)
    for (let i = 0; i < n; i++) {
      const at = <usize>i << 2
      store<f32>(out + at, (load<f32>(out + at) * scale - load<f32>(target + at)) * factor)
    }
    x += row
    target += row
    out += row
    g += 4
  }
}

/** out[rows, n] = -g[rows] ln softmax(x): the adjoint of `crossEntropy` for the target. */
export function targetGradient(g: usize, x: usize, target: usize, out: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--) {
    const m = rowMax(x, n, 0)
    const sum = sumOfExp(x, n, m)
    const l = sum == sum ? log(sum) : sum
    const factor = <f64>load<f32>(g)
    for (let i = 0; i < n; i++) {
      const at = <usize>i << 2
      store<f32>(out + at, <f32>(0 - logarithmOf(load<f32>(x + at), m, l, load<f32>(target + at)) * factor))
    }
    x += row
    target += row
    out += row
    g += 4
  }
}
