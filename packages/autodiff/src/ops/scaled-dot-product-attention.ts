import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { defineFused, type FusedOperation } from '../fused.ts'
import { ordinary } from '../info.ts'
import { type WasmKernels, wasm } from '../kernels/wasm.ts'
import type { Draw, OperationInfo, Sample, Shaped } from '../operation.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { broadcastShapes, broadcastStrides, type Shape, sameShape, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { equal } from './equal.ts'
import { matmul } from './matmul.ts'
import { max } from './max.ts'
import { mul } from './mul.ts'
import { softmax } from './softmax.ts'
import { where } from './where.ts'

/** How `scaledDotProductAttention` looks. */
export interface AttentionOptions {
  /** 1 where a query attends to a key, 0 where not; broadcasts to `[…, queries, keys]`. All by default. */
  readonly mask?: Tensor
  /** Query i attends to keys 0 to i only. Off by default. */
  readonly causal?: boolean
  /** What scores are multiplied by: 1 / sqrt(depth) by default. */
  readonly scale?: number
}

const names = ['mask', 'causal', 'scale'] as const
const operationName = 'scaledDotProductAttention'

interface Attention {
  readonly causal: boolean
  readonly scale: number
}

/** Of each entry of the batch: `queries` rows of q, `keys` rows of k and v, `depth` numbers in q and k, `out` in v. */
interface Sizes {
  readonly batch: number
  readonly queries: number
  readonly keys: number
  readonly depth: number
  readonly out: number
}

function sizesOf([q, k, v]: readonly Shaped[]): Sizes {
  const rank = q!.shape.length
  const [queries, depth] = q!.shape.slice(rank - 2) as [number, number]
  return {
    batch: sizeOf(q!.shape.slice(0, rank - 2)),
    queries,
    keys: k!.shape[rank - 2]!,
    depth,
    out: v!.shape[rank - 1]!,
  }
}

// Bytes, so that what comes next begins on a multiple of 64.
const padded = (floats: number): number => Math.ceil(floats / 16) * 64

function productBytes({ queries, keys, depth, out }: Sizes, gradient: boolean): number {
  const bytes = [
    wasm().matmulScratch(queries, keys, depth, 0, 1),
    gradient
      ? wasm().matmulScratch(queries, keys, out, 0, 1)
      : wasm().matmulScratch(queries, out, keys, 0, 0),
    ...(gradient
      ? [
          wasm().matmulScratch(keys, out, queries, 1, 0),
          wasm().matmulScratch(queries, depth, keys, 0, 0),
          wasm().matmulScratch(keys, depth, queries, 1, 0),
        ]
      : []),
  ]
  return Math.max(...bytes)
}

/** Where the mask of an entry of the batch begins, and how far its rows and columns are apart, in bytes. */
function maskOf(
  mask: Tensor | undefined,
  q: Tensor,
  { queries, keys }: Sizes,
): { at: (entry: number) => number; row: number; column: number } {
  if (mask === undefined) return { at: () => 0, row: 0, column: 0 }
  const shape = [...q.shape.slice(0, -2), queries, keys]
  const strides = broadcastStrides(mask.shape, shape)
  const at = (entry: number): number => {
    let rest = entry
    let first = 0
    for (let axis = shape.length - 3; axis >= 0; axis--) {
      first += (rest % shape[axis]!) * strides[axis]!
      rest = Math.floor(rest / shape[axis]!)
    }
    return mask.offset + 4 * first
  }
  return { at, row: 4 * strides[shape.length - 2]!, column: 4 * strides[shape.length - 1]! }
}

// p = softmax(scale q k') of an entry of the batch.
function probabilities(
  inputs: readonly Tensor[],
  { causal, scale }: Attention,
  sizes: Sizes,
  entry: number,
  into: number,
  scratch: number,
  by: Pick<WasmKernels, 'matmul'>,
): void {
  const [q, k, , mask] = inputs
  const { queries, keys, depth } = sizes
  const from = q!.offset + 4 * entry * queries * depth
  by.matmul(from, k!.offset + 4 * entry * keys * depth, into, queries, keys, depth, 0, 1, scratch)
  const { at, row, column } = maskOf(mask, q!, sizes)
  wasm().maskedSoftmax(into, queries, keys, scale, at(entry), row, column, causal ? 1 : 0)
}

export const scaledDotProductAttentionOperation: FusedOperation<Attention> =
  /*@__PURE__*/ defineFused<Attention>({
    name: operationName,
    doc: 'softmax(scale q k + mask) v, of each entry of the batch',
    shapes: (inputs) => [checkedShape(inputs)],
    composition: (inputs, { causal, scale }) => {
      const [q, k, v, mask] = inputs
      const { queries, keys } = sizesOf(inputs)
      const below = Array.from({ length: queries * keys }, (_, i) =>
        i % keys <= Math.floor(i / keys) ? 1 : 0,
      )
      let scores = mul(matmul(q!, k!, { transposeB: true }), scale)
      if (mask) scores = where(mask, scores, Number.NEGATIVE_INFINITY)
      if (causal) scores = where(tensor(below, [queries, keys]), scores, Number.NEGATIVE_INFINITY)
      if (keys === 0) return [matmul(scores, v!)]
      // A row without anything to attend to is made one of zeros before softmax sees it, and after.
      const some = isAbove(max(scores, { axis: -1, keepDims: true }))
      return [matmul(where(some, softmax(where(some, scores, 0)), 0), v!)]
    },
    scratch: (inputs) => {
      const sizes = sizesOf(inputs)
      return padded(sizes.queries * sizes.keys) + productBytes(sizes, false)
    },
    kernel: (output, inputs, attributes, scratch, kernels = wasm()) => {
      const sizes = sizesOf(inputs)
      const { batch, queries, keys, out } = sizes
      const space = productBytes(sizes, false) === 0 ? 0 : scratch + padded(queries * keys)
      for (let entry = 0; entry < batch; entry++) {
        probabilities(inputs, attributes, sizes, entry, scratch, space, kernels)
        const v = inputs[2]!.offset + 4 * entry * keys * out
        kernels.matmul(scratch, v, output.offset + 4 * entry * queries * out, queries, out, keys, 0, 0, space)
      }
    },
    batch: (inputs) => (inputs.length === 3 ? 'axes' : null),
    isDifferentiable: (index) => index < 3,
    backward: {
      batch: (inputs) => (inputs.length === 4 ? 'axes' : null),
      scratch: (inputs) => {
        const sizes = sizesOf(inputs)
        return 2 * padded(sizes.queries * sizes.keys) + productBytes(sizes, true)
      },
      kernel: ([dq, dk, dv], [g], inputs, attributes, scratch, kernels = wasm()) => {
        const sizes = sizesOf(inputs)
        const { batch, queries, keys, depth, out } = sizes
        const [q, k, v] = inputs as [Tensor, Tensor, Tensor]
        const slopes = scratch + padded(queries * keys)
        const space = productBytes(sizes, true) === 0 ? 0 : slopes + padded(queries * keys)
        const { softmaxGradient } = wasm()
        const { matmul: product } = kernels
        for (let entry = 0; entry < batch; entry++) {
          const asQueries = 4 * entry * queries * depth
          const asKeys = 4 * entry * keys * depth
          const asValues = 4 * entry * keys * out
          const own = g!.offset + 4 * entry * queries * out
          probabilities(inputs, attributes, sizes, entry, scratch, space, kernels)
          if (dv) product(scratch, own, dv + asValues, keys, out, queries, 1, 0, space)
          if (!dq && !dk) continue
          product(own, v.offset + asValues, slopes, queries, keys, out, 0, 1, space)
          softmaxGradient(scratch, slopes, queries, keys, attributes.scale)
          if (dq) product(slopes, k.offset + asKeys, dq + asQueries, queries, depth, keys, 0, 0, space)
          if (dk) product(slopes, q.offset + asQueries, dk + asKeys, keys, depth, queries, 1, 0, space)
        }
      },
    },
  })

// 1 where x is above -Infinity, or NaN.
function isAbove(x: Tensor): Tensor {
  return where(equal(x, Number.NEGATIVE_INFINITY), 0, 1)
}

function checkedShape(inputs: readonly Shaped[]): Shape {
  const [q, k, v, mask] = inputs.map((x) => x.shape)
  const rank = q!.length
  const wrong = (problem: string, remedy?: string): never => failRange(operationName, problem, remedy)
  if (rank < 2 || k!.length < 2 || v!.length < 2) {
    wrong(
      `queries, keys and values must be […, length, depth], got ${showShape(q!)}, ${showShape(k!)} and ${showShape(v!)}`,
    )
  }
  if (q![rank - 1] !== k![k!.length - 1])
    wrong(`queries and keys must have one depth, got ${showShape(q!)} and ${showShape(k!)}`)
  if (k![k!.length - 2] !== v![v!.length - 2])
    wrong(`there must be a value for each key, got ${showShape(k!)} and ${showShape(v!)}`)
  const batch = q!.slice(0, -2)
  if (!sameShape(batch, k!.slice(0, -2)) || !sameShape(batch, v!.slice(0, -2))) {
    wrong(
      `the leading axes must be the same, got ${showShape(q!)}, ${showShape(k!)} and ${showShape(v!)}`,
      'use broadcastTo',
    )
  }
  const scores = [...batch, q![rank - 2]!, k![rank - 2]!]
  if (mask !== undefined && !sameShape(broadcastShapes(operationName, [mask, scores]), scores))
    wrong(`the mask must broadcast to ${showShape(scores)}, got ${showShape(mask)}`)
  return [...q!.slice(0, -1), v![rank - 1]!]
}

/**
 * Attention: softmax(scale q k') v, where k' is k with its last two axes exchanged. Every query takes the mean of the values,
 * weighted by how well their keys match it.
 *
 * A query that attends to nothing, because the mask hides every key, gives zeros, and has a gradient of zeros. The scores of
 * one entry of the batch are all that is held in memory, and are made again for the gradient.
 *
 * @param q queries `[…, queries, depth]`
 * @param k keys `[…, keys, depth]`, with the same leading axes
 * @param v values `[…, keys, out]`
 * @param options.mask 1 where a query attends to a key, 0 where not, and no number in between; broadcasts to `[…, queries, keys]`.
 * It has no gradient
 * @param options.causal query i attends to keys 0 to i only; off by default
 * @param options.scale what scores are multiplied by; 1 / sqrt(depth) by default
 * @returns `[…, queries, out]`
 * @throws RangeError when shapes do not fit
 * @example
 * const [q, k, v] = [t.zeros([2, 1]), t.zeros([2, 1]), t.tensor([[2], [4]])]
 * t.scaledDotProductAttention(q, k, v).toArray() // => [[3], [3]]
 * t.scaledDotProductAttention(q, k, v, { causal: true }).toArray() // => [[2], [3]]
 * t.scaledDotProductAttention(q, k, v, { mask: t.tensor([[0, 1], [0, 0]]) }).toArray() // => [[4], [0]]
 *
 * Vaswani et al.: Attention is all you need (NIPS 2017)
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkOptions(operationName, options, names)
  const { mask } = options
  const inputs = [q, k, v, ...(mask === undefined ? [] : [mask])].map((x) => tensorOperand(operationName, x))
  const causal = checkFlag(operationName, 'causal', options.causal)
  const depth = inputs[0]!.shape[inputs[0]!.rank - 1] ?? 1
  const scale = options.scale ?? 1 / Math.sqrt(Math.max(1, depth))
  if (typeof scale !== 'number' || !Number.isFinite(scale))
    failRange(
      operationName,
      `scale must be a finite number, got ${scale}`,
      'leave it out for 1 / sqrt(depth)',
    )
  return apply(scaledDotProductAttentionOperation, inputs, { causal, scale: Math.fround(scale) })
}

const mostOf = (values: readonly number[]): number =>
  values.filter(Number.isFinite).reduce((most, x) => Math.max(most, Math.abs(x)), 0)

const small = [1, 2, 3, 4, 5, 8, 9]
const leadings: readonly Shape[] = [[2], [], [1], [2, 2], [3], [0]]

function attentionSample(draw: Draw, leading: Shape, sizes: number[], others: number[]): Sample {
  const [queries, out] = [draw.pick(sizes), draw.pick(sizes)]
  const [keys, depth] = [draw.pick(others), draw.pick(others)]
  const masks = [
    null,
    [keys],
    [queries, 1],
    [queries, keys],
    [...leading, queries, keys],
    [...leading.map(() => 1), 1, keys],
  ]
  const mask = draw.pick<Shape | null>(masks)
  const causal = draw.integer(0, 1) === 1
  const scale = Math.fround(draw.pick([0.5, 0.3]))
  const shapes = [
    [...leading, queries, depth],
    [...leading, keys, depth],
    [...leading, keys, out],
  ]
  return {
    shapes: mask === null ? shapes : [...shapes, mask],
    call: (q, k, v, m) =>
      scaledDotProductAttention(q!, k!, v!, { causal, scale, ...(m === undefined ? {} : { mask: m }) }),
    composition: (...inputs) => scaledDotProductAttentionOperation.composition(inputs, { causal, scale })[0]!,
  }
}

export const info: readonly OperationInfo[] = [
  {
    operation: scaledDotProductAttentionOperation,
    sample: (draw) => attentionSample(draw, draw.pick(leadings), small, [...small, 0]),
    large: (draw) => attentionSample(draw, draw.pick(leadings.slice(0, 2)), [70, 33, 130], [17, 9]),
    domains: [ordinary, ordinary, ordinary, { low: 0, high: 1, integer: true }],
    ulps: 32,
    // Scores are sums of at most 9 terms of at most 9, and their errors are those of the logarithms of weights.
    // The product of a query and a key may exceed float32, where softmax has NaN, though the score is finite.
    scale: (inputs, output) => {
      const { depth, out } = sizesOf(inputs)
      const [q, k, v] = inputs.map(({ values }) => Array.from(values))
      const [key, value] = [mostOf(k!), mostOf(v!)]
      return Array.from(output, (_, i) => {
        const query = Math.floor(i / out) * depth
        const product = depth * mostOf(q!.slice(query, query + depth)) * key
        return Math.fround(product) < Number.POSITIVE_INFINITY ? value : Number.NEGATIVE_INFINITY
      })
    },
    errors: [
      {
        call: () => scaledDotProductAttention(tensor([1]), tensor([[1]]), tensor([[1]])),
        kind: 'RangeError',
        message:
          'scaledDotProductAttention: queries, keys and values must be […, length, depth], got [1], [1,1] and [1,1]',
      },
      {
        call: () => scaledDotProductAttention(tensor([[1]]), tensor([[1, 2]]), tensor([[1]])),
        kind: 'RangeError',
        message: 'scaledDotProductAttention: queries and keys must have one depth, got [1,1] and [1,2]',
      },
      {
        call: () => scaledDotProductAttention(tensor([[1]]), tensor([[1]]), tensor([[1], [2]])),
        kind: 'RangeError',
        message: 'scaledDotProductAttention: there must be a value for each key, got [1,1] and [2,1]',
      },
      {
        call: () => scaledDotProductAttention(tensor([[[1]]]), tensor([[1]]), tensor([[1]])),
        kind: 'RangeError',
        message:
          'scaledDotProductAttention: the leading axes must be the same, got [1,1,1], [1,1] and [1,1]; use broadcastTo',
      },
      {
        call: () =>
          scaledDotProductAttention(tensor([[1]]), tensor([[1]]), tensor([[1]]), {
            mask: tensor([[1], [1]]),
          }),
        kind: 'RangeError',
        message: 'scaledDotProductAttention: the mask must broadcast to [1,1], got [2,1]',
      },
      {
        call: () =>
          scaledDotProductAttention(tensor([[1]]), tensor([[1]]), tensor([[1]]), { scale: Number.NaN }),
        kind: 'RangeError',
        message:
          'scaledDotProductAttention: scale must be a finite number, got NaN; leave it out for 1 / sqrt(depth)',
      },
    ],
  },
]
