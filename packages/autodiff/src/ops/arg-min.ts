import { apply, tensorOperand } from '../apply.ts'
import { argExtremum } from '../extremum.ts'
import type { Operation, OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import type { Reduced } from '../reduction.ts'
import { checkAxis } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'

export const argMinOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ argExtremum('argMin', 'smallest')

/**
 * The index of the smallest element along an axis, the first of several; of the first NaN where there is one. It has
 * no gradient.
 *
 * @param x any shape of rank 1 or more
 * @param options.axis along which axis, the last by default
 * @returns the shape of `x` without that axis
 * @throws RangeError when the axis is out of range or empty
 * @example
 * t.argMin(t.tensor([[1, 5], [4, 3]])).toArray() // => [0, 1]
 */
export function argMin(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  const from = tensorOperand('argMin', x)
  checkOptions('argMin', options, ['axis'])
  return apply(argMinOperation, [from], {
    axes: [checkAxis('argMin', options.axis === undefined ? -1 : options.axis, from.rank)],
    keepDims: false,
  })
}

export const info: readonly OperationInfo[] = [
  {
    operation: argMinOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3).map((size) => Math.max(1, size))
      const axis = draw.integer(0, shape.length - 1)
      return { shapes: [shape], call: (x) => argMin(x!, { axis }) }
    },
    domains: [{ low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => argMin(tensor(1)),
        kind: 'RangeError',
        message: 'argMin: axis -1 is out of range for rank 0; a scalar has no axes',
      },
      {
        call: () => argMin(tensor([], [0])),
        kind: 'RangeError',
        message:
          'argMin: the axis must hold 1 to 2^24 elements, got shape [0]; integers beyond are not exact in float32',
      },
    ],
  },
]
