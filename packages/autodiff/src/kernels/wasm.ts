import { isShared, wasmMemory } from '../memory.ts'
import { memoryFlagsAt, wasmBase64 } from './generated/wasm.ts'

/** 0 for no, 1 for yes: a boolean as WebAssembly takes it. */
type Flag = 0 | 1

/**
 * The hand-shaped kernels, compiled from `assembly/`. Pointers are byte offsets into the memory, sizes and
 * strides count elements, every value is a float32. No kernel writes outside its output, reads padding into
 * a result or keeps state; a size of 0 is fine everywhere but where it says otherwise. The order of a sum
 * depends on shapes alone.
 */
export interface WasmKernels {
  /**
   * out[m, n] = op(a) op(b), where a flag says that the operand is stored transposed: a [k, m], b [n, k].
   *
   * An element's bits depend on its row of op(a) and its column of op(b) alone, so any split of m or n over
   * calls gives the same. `scratch` is `matmulScratch` bytes, or 0 for none: slower, same bits.
   */
  matmul(
    a: number,
    b: number,
    out: number,
    m: number,
    n: number,
    k: number,
    transposeA: Flag,
    transposeB: Flag,
    scratch: number,
  ): void
  /** Bytes of scratch with which `matmul` is fastest, often 0: each product must be given its own, or more, or none. */
  matmulScratch(m: number, n: number, k: number, transposeA: Flag, transposeB: Flag): number
  /**
   * x[outer, n, inner] -> out[outer, inner]: sums over n, by blocks that are added up in float64.
   *
   * @param scratch 8 bytes for each column, of 4 to 1024 of them; none where inner is 1 or n at most 64
   */
  reduceSum(x: number, out: number, outer: number, n: number, inner: number, scratch: number): void
  /** Divides n numbers where they are. */
  divide(at: number, n: number, by: number): void
  /**
   * out[outer, n, inner]: along n the places of x's elements in increasing order, or decreasing; equals keep their order, NaN
   * is the largest. `scratch` is `argSortScratch` bytes.
   */
  argSort(
    x: number,
    out: number,
    outer: number,
    n: number,
    inner: number,
    descending: Flag,
    scratch: number,
  ): void
  /** Bytes that `argSort` works in. */
  argSortScratch(n: number): number
  /** The largest over n, or the smallest where `minimum` is 1, NaN where there is one; n is not 0. */
  reduceMax(x: number, out: number, outer: number, n: number, inner: number, minimum?: number): void
  /** The position of the first largest over n, or smallest where `minimum` is 1, or of the first NaN if there is one; n is not 0. */
  argMax(x: number, out: number, outer: number, n: number, inner: number, minimum?: number): void
  /** The product over n, in float64. */
  reduceProduct(x: number, out: number, outer: number, n: number, inner: number): void
  /**
   * The sum of squares over n divided by `divisor`, in float64: of x minus its mean where `centred`; the square root of that
   * where `root`.
   *
   * @param scratch 16 bytes for each column, of 4 to 1024 of them; none where inner is 1
   */
  reduceSquares(
    x: number,
    out: number,
    outer: number,
    n: number,
    inner: number,
    centred: Flag,
    divisor: number,
    root: Flag,
    scratch: number,
  ): void
  /**
   * At each place along n what came together up to there, in float64: kind 0 sums, 1 products, 2 s = x + a s.
   *
   * @param a as large as x; not read but for kind 2
   * @param exclusive without the place itself
   * @param reverse from the last place on
   * @param scratch 8 bytes for each column, of 4 to 1024 of them; none where inner is 1
   */
  prefix(
    x: number,
    a: number,
    out: number,
    outer: number,
    n: number,
    inner: number,
    kind: number,
    exclusive: Flag,
    reverse: Flag,
    scratch: number,
  ): void
  /** exp(x - max) / sum exp(x - max) of each row; x and out may be the same. */
  softmax(x: number, out: number, rows: number, n: number): void
  /** x - max - log sum exp(x - max) of each row; x and out may be the same. */
  logSoftmax(x: number, out: number, rows: number, n: number): void
  /** log sum exp(x) of each row: out[rows]; -Infinity where n is 0. */
  logSumExp(x: number, out: number, rows: number, n: number): void
  /**
   * The same along n of x[outer, n, inner]: kind 0 is softmax, 1 logSoftmax, 2 logSumExp, which gives [outer, inner]; x and out may
   * be the same for the first two.
   *
   * @param scratch 12 bytes for each column, of 4 to 1024 of them
   */
  softmaxColumns(
    x: number,
    out: number,
    outer: number,
    n: number,
    inner: number,
    kind: number,
    scratch: number,
  ): void
  /** Copies n0 x n1 x n2 x n3 elements; s are the source's strides (0 and negative too), d the destination's. */
  stridedCopy(
    src: number,
    dst: number,
    n0: number,
    n1: number,
    n2: number,
    n3: number,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
  ): void
  /** Writes n times value. */
  fill(dst: number, n: number, value: number): void
  /**
   * out[count, width]: row i is row indices[i] of x[rows, width].
   *
   * @returns -1, or the place of the first index that is no integer in [0, rows); then nothing is written
   */
  gather(x: number, indices: number, out: number, count: number, rows: number, width: number): number
  /** out[rows, width]: zeros plus g[i] at row indices[i], in increasing i. Returns as `gather` does. */
  scatterAdd(g: number, indices: number, out: number, count: number, rows: number, width: number): number
  /** The place of the first of count indices that is no integer in [0, limit), or -1. */
  firstBad(indices: number, count: number, limit: number): number
  /**
   * Copies between packed[blocks, count, width] and spread[blocks, size, width]: element (b, k, i) of the first and
   * (b, index, i) of the second, where the index stands at b * block + k * step + i * next. With add 0 what is spread is
   * packed; with add 1 spread gets zeros, and what is packed added in order. An index that is none is taken for one in range.
   */
  along(
    packed: number,
    indices: number,
    spread: number,
    blocks: number,
    count: number,
    size: number,
    width: number,
    block: number,
    step: number,
    next: number,
    add: Flag,
  ): void
  /** out[count, depth]: row i is 0 but for a 1 at indices[i]. Returns as `gather` does. */
  oneHot(indices: number, out: number, count: number, depth: number): number
  /**
   * out[count]: words of Threefry-2x32 under a key, `high` and `low`, from block 0 on; or, where it `chooses`, numbers:
   * 1 where the word is at most `most`, else 0.
   */
  randomBits(out: number, count: number, high: number, low: number, most: number, chooses: Flag): void
  /** out[rows]: -ln of the probability that softmax(x) gives to the label of each row. */
  labelCrossEntropy(x: number, labels: number, out: number, rows: number, n: number): void
  /** out[rows, n] = g[rows] (softmax(x) - one-hot of the label). */
  labelCrossEntropyGradient(g: number, x: number, labels: number, out: number, rows: number, n: number): void
  /** out[rows]: -sum of target ln softmax(x); 0 ln 0 is 0. */
  crossEntropy(x: number, target: number, out: number, rows: number, n: number): void
  /** out[rows, n] = g[rows] (softmax(x) (sum of target) - target). */
  crossEntropyGradient(g: number, x: number, target: number, out: number, rows: number, n: number): void
  /** out[rows, n] = -g[rows] ln softmax(x), finite where the target is 0. */
  targetGradient(g: number, x: number, target: number, out: number, rows: number, n: number): void
  /** out[rows, n] = (x - mean) / sqrt(variance + epsilon) gamma[n] + beta[n] of each row; gamma and beta 0 for none. */
  layerNorm(
    x: number,
    gamma: number,
    beta: number,
    out: number,
    rows: number,
    n: number,
    epsilon: number,
  ): void
  /** Its adjoint; dx, dgamma and dbeta 0 where not wanted. `tables`: 24 bytes for each of n, a multiple of 4; 0 without the last two. */
  layerNormGradient(
    g: number,
    x: number,
    gamma: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    rows: number,
    n: number,
    epsilon: number,
    tables: number,
  ): void
  /** As `layerNorm` for columns, with mean[n] and variance[n]. `tables`: 40 bytes for each of n, a multiple of 4. */
  batchNorm(
    x: number,
    gamma: number,
    beta: number,
    y: number,
    mean: number,
    variance: number,
    rows: number,
    n: number,
    epsilon: number,
    tables: number,
  ): void
  /** Its adjoint; g, gm, gv 0 where there is none, dx, dgamma, dbeta where not wanted. `tables`: as there. */
  batchNormGradient(
    g: number,
    gm: number,
    gv: number,
    x: number,
    gamma: number,
    mean: number,
    variance: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    rows: number,
    n: number,
    epsilon: number,
    tables: number,
  ): void
  /**
   * Softmax of each row of scale x, in place: 0 where the mask is 0 or, if causal, beyond the diagonal, and in rows of nothing
   * else. The mask, 0 for none, is read by strides in bytes.
   */
  maskedSoftmax(
    x: number,
    rows: number,
    n: number,
    scale: number,
    mask: number,
    maskRow: number,
    maskColumn: number,
    causal: Flag,
  ): void
  /** g[rows, n] = scale p (g - sum of g p) of each row, in place. */
  softmaxGradient(p: number, g: number, rows: number, n: number, scale: number): void
}

const unsharedWithMaximum = 0x01

let cached: WasmKernels | undefined

/** The kernels on the heap, compiled synchronously at first use. */
export function wasm(): WasmKernels {
  cached ??= kernelsOn(wasmMemory(), isShared())
  return cached
}

/**
 * The kernels on a memory of one's own: a worker's view of a shared heap, or a test's.
 *
 * A memory's kind is part of a module's type, so the one binary, compiled for shared memory, has that one
 * byte changed for the other kind.
 *
 * @param memory of at least 1 page, declared with a maximum of at most 65536 pages
 * @param shared whether it was made with `shared: true`
 * @example
 * const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536 })
 * kernelsOn(memory, false).fill(65536, 3, 7)
 * new Float32Array(memory.buffer, 65536, 4) // => [7, 7, 7, 0]
 */
export function kernelsOn(memory: WebAssembly.Memory, shared: boolean): WasmKernels {
  // The one place where WebAssembly's untyped exports get their type; wasm.test.ts calls each of them.
  return instantiate(wasmBase64, memoryFlagsAt, memory, shared) as WebAssembly.Exports & WasmKernels
}

/** The bytes of a module for a memory of one kind or the other. */
export function bytesOf(base64: string, flagsAt: number, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  if (!shared) bytes[flagsAt] = unsharedWithMaximum
  return bytes
}

/** Compiles one of the modules that scripts/build-wasm.js writes, on a memory. */
export function instantiate(
  base64: string,
  flagsAt: number,
  memory: WebAssembly.Memory,
  shared: boolean,
): WebAssembly.Exports {
  const bytes = bytesOf(base64, flagsAt, shared)
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
}
