import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { forEachReduced, type Reduced, reducedShape, reduceWith } from '../reduction.ts'
import { checkAxis, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

export const argMaxOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>(
  {
    name: 'argMax',
    doc: 'the index of the first largest element along an axis',
    shape: ([x], attributes) => {
      const count = x!.shape[attributes.axes[0]!]!
      if (count === 0 || count > 2 ** 24) {
        failRange(
          'argMax',
          `the axis must hold 1 to 2^24 elements, got shape ${showShape(x!.shape)}`,
          'integers beyond are not exact in float32',
        )
      }
      return reducedShape(x!.shape, attributes)
    },
    reference: ([x], { axes }) => {
      const size = sizeOf(reducedShape(x!.shape, { axes, keepDims: true }))
      const best = new Float64Array(size).fill(Number.NEGATIVE_INFINITY)
      const at = new Float64Array(size)
      const seen = new Float64Array(size)
      forEachReduced(x!, axes, (into, value) => {
        const better = value > best[into]! || (Number.isNaN(value) && !Number.isNaN(best[into]!))
        if (better) {
          best[into] = value
          at[into] = seen[into]!
        }
        seen[into]!++
      })
      return at
    },
    kernel: (output, [x], { axes }) => reduceWith(wasm().argMax, output, x, axes, 0),
    vjp: [null],
  },
)

/**
 * The index of the largest element along an axis, the first of several; of the first NaN where there is one. It has
 * no gradient.
 *
 * @param x any shape of rank 1 or more
 * @param options.axis along which axis, the last by default
 * @returns the shape of `x` without that axis
 * @throws RangeError when the axis is out of range or empty
 * @example
 * t.argMax(t.tensor([[1, 5], [4, 3]])).toArray() // => [1, 0]
 */
export function argMax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const from = tensorOperand('argMax', x)
  checkOptions('argMax', options, ['axis'])
  return apply(argMaxOperation, [from], {
    axes: [checkAxis('argMax', options.axis === undefined ? -1 : options.axis, from.rank)],
    keepDims: false,
  })
}

export const info: readonly OperationInfo[] = [
  {
    operation: argMaxOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3).map((size) => Math.max(1, size))
      const axis = draw.integer(0, shape.length - 1)
      return { shapes: [shape], call: (x) => argMax(x!, { axis }) }
    },
    domains: [{ low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => argMax(tensor(1)),
        kind: 'RangeError',
        message: 'argMax: axis -1 is out of range for rank 0; a scalar has no axes',
      },
      {
        call: () => argMax(tensor([], [0])),
        kind: 'RangeError',
        message:
          'argMax: the axis must hold 1 to 2^24 elements, got shape [0]; integers beyond are not exact in float32',
      },
    ],
  },
]
