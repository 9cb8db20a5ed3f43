import { apply, tensorOperand } from '../apply.ts'
import { extremum } from '../extremum.ts'
import { reduceErrors, reduceSample } from '../info.ts'
import type { Operation, OperationInfo } from '../operation.ts'
import { type Reduced, type ReduceOptions, reduced } from '../reduction.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { argMin } from './arg-min.ts'

export const minOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ extremum('min', 'smallest', (rows) =>
  argMin(rows),
)

/**
 * The smallest element over axes; NaN where one is NaN. Where several are smallest the gradient goes to the first.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range, named twice, or there is nothing to reduce
 * @example
 * t.min(t.tensor([[1, 5], [3, 4]]), { axis: 1 }).toArray() // => [1, 3]
 */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('min', x)
  return apply(minOperation, [from], reduced('min', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: minOperation,
    sample: reduceSample(min, 1),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      ...reduceErrors('min', min),
      {
        call: () => min(tensor([], [0])),
        kind: 'RangeError',
        message: 'min: there is no smallest of no elements, got shape [0]; reduce axes that are not empty',
      },
    ],
  },
]
