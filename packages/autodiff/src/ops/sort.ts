import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo, type Shaped } from '../operation.ts'
import { checkFlag, checkInteger, checkOptions } from '../options.ts'
import { checkAxis, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { inScope } from '../tree.ts'
import { slice } from './slice.ts'
import { takeAlongAxisOperation } from './take-along-axis.ts'

/** How to sort. */
export interface SortOptions {
  /** Along which axis, the last by default; negative ones count from the end. */
  readonly axis?: number
  /** The largest first. Off by default. */
  readonly descending?: boolean
}

interface Order {
  readonly axis: number
  readonly descending: boolean
}

export const argSortOperation: Operation<Order, [Tensor]> = /*@__PURE__*/ defineOperation<Order, [Tensor]>({
  name: 'argSort',
  doc: 'the places of the elements along an axis in increasing or decreasing order',
  shape: ([x]) => x!.shape,
  reference: ([x], { axis, descending }) => {
    const n = x!.shape[axis]!
    const inner = sizeOf(x!.shape.slice(axis + 1))
    const result = new Float64Array(x!.values.length)
    for (let first = 0; first < result.length; first += n * inner) {
      for (let line = first; line < first + inner; line++) {
        const at = (place: number): number => x!.values[line + place * inner]!
        const places = Array.from({ length: n }, (_, i) => i)
        places.sort((p, q) => (descending ? compare(at(q), at(p)) : compare(at(p), at(q))))
        for (const [i, place] of places.entries()) result[line + i * inner] = place
      }
    }
    return result
  },
  scratch: ([x], { axis }) => wasm().argSortScratch(x!.shape[axis]!),
  kernel: (output, [x], { axis, descending }, scratch) => {
    const { shape } = x
    const n = shape[axis]!
    let inner = 1
    for (let i = axis + 1; i < shape.length; i++) inner *= shape[i]!
    wasm().argSort(x.offset, output.offset, x.size / (n * inner), n, inner, descending ? 1 : 0, scratch)
  },
  batch: 'axes',
  vjp: [null],
})

// NaN is the largest; equals, -0 and 0 too, keep their order because sorting is stable.
function compare(p: number, q: number): number {
  if (Number.isNaN(p) || Number.isNaN(q)) return Number(Number.isNaN(p)) - Number(Number.isNaN(q))
  return p < q ? -1 : p > q ? 1 : 0
}

function orderOf(operation: string, x: Tensor, options: SortOptions): Order {
  checkOptions(operation, options, ['axis', 'descending'])
  const axis = checkAxis(operation, options.axis === undefined ? -1 : options.axis, x.rank)
  checkLength(operation, x, axis)
  return { axis, descending: checkFlag(operation, 'descending', options.descending) }
}

function checkLength(operation: string, { shape }: Shaped, axis: number): void {
  if (shape[axis]! > 2 ** 24) {
    failRange(
      operation,
      `the axis must hold at most 2^24 elements, got shape ${showShape(shape)}`,
      'integers beyond are not exact in float32',
    )
  }
}

/**
 * The places of the elements along an axis in increasing order: `takeAlongAxis(x, argSort(x))` is sorted. Equals keep their
 * order; NaN counts as the largest, so it is last, and first where `descending`. It has no gradient.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @param options.descending the largest first; off by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range, or holds more than 2^24 elements
 * @example
 * t.argSort(t.tensor([3, 1, 2])).toArray() // => [1, 2, 0]
 * t.argSort(t.tensor([1, 3, 3]), { descending: true }).toArray() // => [1, 2, 0]
 */
export function argSort(x: Tensor, options: SortOptions = {}): Tensor {
  const from = tensorOperand('argSort', x)
  return apply(argSortOperation, [from], orderOf('argSort', from, options))
}

/**
 * The elements along an axis in increasing order. Equals keep their order; NaN is last as in NumPy, and first where
 * `descending`. The gradient goes back to the place that each element came from.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @param options.descending the largest first; off by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range, or holds more than 2^24 elements
 * @example
 * t.sort(t.tensor([[3, 1], [2, 4]])).toArray() // => [[1, 3], [2, 4]]
 * t.sort(t.tensor([[3, 1], [2, 4]]), { axis: 0, descending: true }).toArray() // => [[3, 4], [2, 1]]
 */
export function sort(x: Tensor, options: SortOptions = {}): Tensor {
  const from = tensorOperand('sort', x)
  const order = orderOf('sort', from, options)
  return inScope(() => apply(takeAlongAxisOperation, [from, apply(argSortOperation, [from], order)], order))
}

/** What `topK` gives. */
export interface TopK {
  readonly values: Tensor
  /** Where they stand along the axis. They have no gradient. */
  readonly indices: Tensor
}

/**
 * The `k` largest elements along an axis, the largest first, and where they stand: of equals the first; NaN counts as the
 * largest. The gradient of the values goes back to their places.
 *
 * @param x rank 1 or more
 * @param k how many: 0 to the size of the axis
 * @param options.axis along which axis, the last by default
 * @returns both in the shape of `x` with `k` in the place of the axis
 * @throws RangeError when the axis or `k` is out of range
 * @example
 * const { values, indices } = t.topK(t.tensor([3, 1, 5, 4]), 2)
 * values.toArray() // => [5, 4]
 * indices.toArray() // => [2, 3]
 */
export function topK(x: Tensor, k: number, options: { readonly axis?: number } = {}): TopK {
  const from = tensorOperand('topK', x)
  checkOptions('topK', options, ['axis'])
  const { axis } = orderOf('topK', from, options)
  const size = from.shape[axis]!
  if (checkInteger('topK', 'k', k) < 0 || k > size) {
    failRange(
      'topK',
      `k must be 0 to ${size}, the size of axis ${axis}, got ${k}`,
      'ask for no more than there are',
    )
  }
  return inScope(() => {
    const places = apply(argSortOperation, [from], { axis, descending: true })
    const end = from.shape.map((own, i) => (i === axis ? k : own))
    const indices = slice(places, [], end)
    return { values: apply(takeAlongAxisOperation, [from, indices], { axis }), indices }
  })
}

export const info: readonly OperationInfo[] = [
  {
    operation: argSortOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 4)
      const axis = draw.integer(0, shape.length - 1)
      const descending = draw.integer(0, 1) === 1
      return { shapes: [shape], call: (x) => argSort(x!, { axis, descending }) }
    },
    domains: [{ low: -3, high: 3, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => argSort(tensor(1)),
        kind: 'RangeError',
        message: 'argSort: axis -1 is out of range for rank 0; a scalar has no axes',
      },
      {
        call: () => argSort(tensor([1]), { axis: 1 }),
        kind: 'RangeError',
        message: 'argSort: axis 1 is out of range for rank 1; use -1 to 0',
      },
      {
        call: () => argSort(tensor([1]), { descending: 1 as unknown as boolean }),
        kind: 'TypeError',
        message: 'argSort: descending must be true or false, got a number; leave it out for false',
      },
      {
        call: () => argSort(tensor([1]), { order: 'desc' } as object),
        kind: 'RangeError',
        message: "argSort: unknown option 'order'; use axis, descending",
      },
      {
        call: () => argSort([1] as unknown as Tensor),
        kind: 'TypeError',
        message: 'argSort: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      },
    ],
  },
]
