import { apply, tensorOperand } from '../apply.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  neighbour,
  type Prefix,
  type PrefixOptions,
  prefixKernel,
  prefixOf,
  prefixReference,
  prefixSample,
  prefixScratch,
} from '../prefix.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { linearRecurrence } from './linear-recurrence.ts'
import { mul } from './mul.ts'

export const cumProdOperation: Operation<Prefix, [Tensor]> = /*@__PURE__*/ defineOperation<Prefix, [Tensor]>({
  name: 'cumProd',
  doc: 'the product of elements up to each one, along an axis',
  shape: ([x]) => x!.shape,
  reference: ([x], along) => prefixReference(x!, along, 1, (product, value) => product * value),
  scratch: ([x], along) => prefixScratch(x!, along),
  kernel: (output, [x], along, scratch) => prefixKernel(output, x, x, 1, along, scratch),
  batch: 'axes',
  vjp: [
    (g, _, [x], { axis, exclusive, reverse }) => {
      // Element j reaches product i by all others up to i: those before j, times what comes back from behind,
      // r[j] = g[j] + x[j + 1] r[j + 1]. Nothing is divided, so zeros do no harm.
      const by = reverse ? -1 : 1
      const coming = exclusive ? neighbour(g, axis, by) : g
      const behind = linearRecurrence(coming, neighbour(x, axis, by), { axis, reverse: !reverse })
      return mul(cumProd(x, { axis, exclusive: true, reverse }), behind)
    },
  ],
})

/**
 * The products of elements up to each one, along an axis. They are multiplied one after the other in float64. The gradient is
 * right where there are zeros too.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @param options.exclusive leave out the element itself: 1 comes first; off by default
 * @param options.reverse begin with the last element; off by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range
 * @example
 * t.cumProd(t.tensor([2, 3, 4])).toArray() // => [2, 6, 24]
 * t.cumProd(t.tensor([2, 3, 4]), { exclusive: true, reverse: true }).toArray() // => [12, 4, 1]
 */
export function cumProd(x: Tensor, options: PrefixOptions = {}): Tensor {
  const from = tensorOperand('cumProd', x)
  return apply(cumProdOperation, [from], prefixOf('cumProd', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: cumProdOperation,
    sample: prefixSample(([x], options) => cumProd(x!, options), 1, true),
    domains: [{ low: -1.5, high: 1.5 }],
    ulps: 0,
    errors: [
      {
        call: () => cumProd(tensor([1]), { axis: 1 }),
        kind: 'RangeError',
        message: 'cumProd: axis 1 is out of range for rank 1; use -1 to 0',
      },
      {
        call: () => cumProd(tensor([1]), { reversed: true } as object),
        kind: 'RangeError',
        message: "cumProd: unknown option 'reversed'; use axis, exclusive, reverse",
      },
    ],
  },
]
