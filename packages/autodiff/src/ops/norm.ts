import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { reduceErrors } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  atOnceScratch,
  type Reduced,
  type ReduceOptions,
  reduceAtOnce,
  reduced,
  reducedCount,
  reducedShape,
  reduceReference,
} from '../reduction.ts'
import { showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { abs } from './abs.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { maxOperation } from './max.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { sumOperation } from './sum.ts'
import { where } from './where.ts'

/** Which norm, and over which axes. */
export interface NormOptions extends ReduceOptions {
  /** 1 for the sum of magnitudes, 2 for the Euclidean length, Infinity for the largest magnitude. */
  readonly order?: number
}

export const normOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>({
  name: 'norm',
  doc: 'the square root of the sum of squares over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], { axes }) =>
    reduceReference(x!, axes, 0, (sum, value) => sum + value * value).map(Math.sqrt),
  scratch: ([x], { axes }) => atOnceScratch(x!, axes, 16),
  kernel: (output, [x], { axes }, scratch) => {
    const { reduceSquares } = wasm()
    reduceAtOnce(
      (from, out, outer, n, inner, columns) => reduceSquares(from, out, outer, n, inner, 0, 1, 1, columns),
      output,
      x,
      axes,
      scratch,
    )
  },
  batch: 'axes',
  vjp: [
    (g, y, [x], { axes }) => {
      const kept = reducedShape(x.shape, { axes, keepDims: true })
      const length = reshape(y, kept)
      // At the zero vector 0 / 1, not 0 / 0.
      return mul(reshape(g, kept), div(x, where(equal(length, 0), 1, length)))
    },
  ],
})

/**
 * The length of vectors, over axes: the Euclidean norm sqrt(sum x^2), or the sum (`order` 1) or the largest (`order` Infinity) of
 * magnitudes. Squares are added up in float64: they do not overflow. 0 of no elements. The gradient at the zero vector is 0.
 * Over several axes it is the norm of all elements, as if they were one vector: NumPy's Frobenius norm, and not that of an operator.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @param options.order 1, 2 or Infinity; 2 by default
 * @throws RangeError when an axis is out of range or named twice, the order is another one, or there is no largest of no elements
 * @example
 * t.norm(t.tensor([3, -4])).item() // => 5
 * t.norm(t.tensor([[3, -4], [0, 0]]), { axis: 1, order: 1 }).toArray() // => [7, 0]
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  const from = tensorOperand('norm', x)
  const attributes = reduced('norm', from, options, undefined, ['order'])
  const { order = 2 } = options
  if (order === 2) return apply(normOperation, [from], attributes)
  if (order === 1) return apply(sumOperation, [abs(from)], attributes)
  if (order !== Number.POSITIVE_INFINITY) {
    failRange('norm', `order must be 1, 2 or Infinity, got ${String(order)}`, 'leave it out for 2')
  }
  if (reducedCount(from.shape, attributes.axes) === 0 && sizeOf(reducedShape(from.shape, attributes)) > 0) {
    failRange(
      'norm',
      `there is no largest of no elements, got shape ${showShape(from.shape)}`,
      'reduce axes that are not empty',
    )
  }
  return apply(maxOperation, [abs(from)], attributes)
}

export const info: readonly OperationInfo[] = [
  {
    operation: normOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 4)
      const axis = shape.map((_, i) => i).filter((i) => i === 0 || draw.integer(0, 1) === 1)
      const keepDims = draw.integer(0, 1) === 1
      return { shapes: [shape], call: (x) => norm(x!, { axis, keepDims }) }
    },
    // Of a single number it is |x|, with a kink at 0.
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 1,
    errors: [
      ...reduceErrors('norm', norm),
      {
        call: () => norm(tensor([1]), { order: 3 }),
        kind: 'RangeError',
        message: 'norm: order must be 1, 2 or Infinity, got 3; leave it out for 2',
      },
      {
        call: () => norm(tensor([], [0]), { order: Number.POSITIVE_INFINITY }),
        kind: 'RangeError',
        message: 'norm: there is no largest of no elements, got shape [0]; reduce axes that are not empty',
      },
    ],
  },
]
