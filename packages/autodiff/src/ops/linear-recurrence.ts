import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  neighbour,
  type Prefix,
  prefixKernel,
  prefixOf,
  prefixReference,
  prefixSample,
  prefixScratch,
} from '../prefix.ts'
import { sameShape, showShape } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { mul } from './mul.ts'

// The cotangent of x: what reaches each place from those that come after it.
const returned = (g: Tensor, by: Tensor, { axis, reverse }: Prefix): Tensor =>
  linearRecurrence(g, neighbour(by, axis, reverse ? -1 : 1), { axis, reverse: !reverse })

export const linearRecurrenceOperation: Operation<Prefix, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Prefix,
  [Tensor, Tensor]
>({
  name: 'linearRecurrence',
  doc: 'y[i] = x[i] + by[i] y[i - 1] along an axis',
  shape: ([x, by]) => {
    if (!sameShape(x!.shape, by!.shape)) {
      failRange(
        'linearRecurrence',
        `shapes differ, got ${showShape(x!.shape)} and ${showShape(by!.shape)}`,
        'broadcast one to the other',
      )
    }
    return x!.shape
  },
  reference: ([x, by], along) =>
    prefixReference(x!, along, 0, (before, value, at) => value + by!.values[at]! * before),
  scratch: ([x], along) => prefixScratch(x!, along),
  kernel: (output, [x, by], along, scratch) => prefixKernel(output, x, by, 2, along, scratch),
  batch: 'axes',
  vjp: [
    (g, _, [, by], along) => returned(g, by, along),
    (g, y, [, by], along) => mul(returned(g, by, along), neighbour(y, along.axis, along.reverse ? 1 : -1)),
  ],
})

/**
 * What goes on as y[i] = x[i] + by[i] y[i - 1] along an axis, from y = 0: discounted sums, moving averages, linear state spaces. One
 * step after the other in float64.
 *
 * @param x rank 1 or more
 * @param by the shape of `x`: how much is kept of what came before; the first one meets 0
 * @param options.axis along which axis, the last by default
 * @param options.reverse begin with the last element: returns of rewards; off by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range or the shapes differ
 * @example
 * t.linearRecurrence(t.tensor([1, 1, 1]), t.tensor([0.5, 0.5, 0.5])).toArray() // => [1, 1.5, 1.75]
 */
export function linearRecurrence(
  x: Tensor,
  by: Tensor,
  options: { readonly axis?: number; readonly reverse?: boolean } = {},
): Tensor {
  const from = tensorOperand('linearRecurrence', x)
  const kept = tensorOperand('linearRecurrence', by)
  const along = prefixOf('linearRecurrence', from, options, ['axis', 'reverse'])
  return apply(linearRecurrenceOperation, [from, kept], along)
}

export const info: readonly OperationInfo[] = [
  {
    operation: linearRecurrenceOperation,
    sample: prefixSample(([x, by], options) => linearRecurrence(x!, by!, options), 2, false),
    domains: [ordinary, { low: -1, high: 1 }],
    ulps: 0,
    errors: [
      {
        call: () => linearRecurrence(tensor([1]), tensor([1, 2])),
        kind: 'RangeError',
        message: 'linearRecurrence: shapes differ, got [1] and [2]; broadcast one to the other',
      },
      {
        call: () => linearRecurrence(tensor(1), tensor(1)),
        kind: 'RangeError',
        message: 'linearRecurrence: axis -1 is out of range for rank 0; a scalar has no axes',
      },
    ],
  },
]
