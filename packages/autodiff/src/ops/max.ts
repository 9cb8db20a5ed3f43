import { apply, tensorOperand } from '../apply.ts'
import { extremum } from '../extremum.ts'
import { reduceErrors, reduceSample } from '../info.ts'
import type { Operation, OperationInfo } from '../operation.ts'
import { type Reduced, type ReduceOptions, reduced } from '../reduction.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { argMax } from './arg-max.ts'

export const maxOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ extremum('max', 'largest', (rows) =>
  argMax(rows),
)

/**
 * The largest element over axes; NaN where one is NaN. Where several are largest the gradient goes to the first.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range, named twice, or there is nothing to reduce
 * @example
 * t.max(t.tensor([[1, 5], [3, 4]]), { axis: 1 }).toArray() // => [5, 4]
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('max', x)
  return apply(maxOperation, [from], reduced('max', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: maxOperation,
    sample: reduceSample(max, 1),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      ...reduceErrors('max', max),
      {
        call: () => max(tensor([], [0])),
        kind: 'RangeError',
        message: 'max: there is no largest of no elements, got shape [0]; reduce axes that are not empty',
      },
    ],
  },
]
