import { apply, tensorOperand } from '../apply.ts'
import { argExtremum } from '../extremum.ts'
import type { Operation, OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import type { Reduced } from '../reduction.ts'
import { checkAxis } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

export const argMaxOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ argExtremum('argMax', 'largest')

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
