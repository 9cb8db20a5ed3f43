import { apply, tensorOperand } from '../apply.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  type Prefix,
  type PrefixOptions,
  prefixKernel,
  prefixOf,
  prefixReference,
  prefixSample,
  prefixScratch,
} from '../prefix.ts'
import { type Tensor, tensor } from '../tensor.ts'

export const cumSumOperation: Operation<Prefix, [Tensor]> = /*@__PURE__*/ defineOperation<Prefix, [Tensor]>({
  name: 'cumSum',
  doc: 'the sum of elements up to each one, along an axis',
  shape: ([x]) => x!.shape,
  reference: ([x], along) => prefixReference(x!, along, 0, (sum, value) => sum + value),
  scratch: ([x], along) => prefixScratch(x!, along),
  kernel: (output, [x], along, scratch) => prefixKernel(output, x, x, 0, along, scratch),
  batch: 'axes',
  vjp: [(g, _, _inputs, along) => cumSum(g, { ...along, reverse: !along.reverse })],
})

/**
 * The sums of elements up to each one, along an axis. They are added one after the other in float64.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @param options.exclusive leave out the element itself: 0 comes first; off by default
 * @param options.reverse begin with the last element; off by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range
 * @example
 * t.cumSum(t.tensor([1, 2, 3])).toArray() // => [1, 3, 6]
 * t.cumSum(t.tensor([1, 2, 3]), { exclusive: true }).toArray() // => [0, 1, 3]
 * t.cumSum(t.tensor([1, 2, 3]), { reverse: true }).toArray() // => [6, 5, 3]
 */
export function cumSum(x: Tensor, options: PrefixOptions = {}): Tensor {
  const from = tensorOperand('cumSum', x)
  return apply(cumSumOperation, [from], prefixOf('cumSum', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: cumSumOperation,
    sample: prefixSample(([x], options) => cumSum(x!, options), 1, true),
    domains: [ordinary],
    ulps: 0,
    errors: [
      {
        call: () => cumSum(tensor(1)),
        kind: 'RangeError',
        message: 'cumSum: axis -1 is out of range for rank 0; a scalar has no axes',
      },
      {
        call: () => cumSum(tensor([1]), { axis: [0] as unknown as number }),
        kind: 'TypeError',
        message: 'cumSum: axis must be an integer, got an array',
      },
      {
        call: () => cumSum(tensor([1]), { exclusive: 1 as unknown as boolean }),
        kind: 'TypeError',
        message: 'cumSum: exclusive must be true or false, got a number; leave it out for false',
      },
    ],
  },
]
