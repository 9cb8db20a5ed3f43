import { apply, tensorOperand } from '../apply.ts'
import { ordinary, reduceErrors, spreadSample } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { atOnceScratch, reducedShape } from '../reduction.ts'
import { divisorOf, type Spread, type SpreadOptions, spread, spreadKernel, varianceOf } from '../squares.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { mean } from './mean.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { sub } from './sub.ts'

export const varianceOperation: Operation<Spread, [Tensor]> = /*@__PURE__*/ defineOperation<Spread, [Tensor]>(
  {
    name: 'variance',
    doc: 'the mean square of x - mean(x) over axes',
    shape: ([x], attributes) => reducedShape(x!.shape, attributes),
    reference: ([x], attributes) => varianceOf(x!, attributes),
    scratch: ([x], { axes }) => atOnceScratch(x!, axes, 16),
    kernel: (output, [x], attributes, scratch) => spreadKernel(output, x, attributes, 0, scratch),
    batch: 'axes',
    vjp: [
      (g, _, [x], attributes) => {
        const { axes } = attributes
        const kept = reshape(g, reducedShape(x.shape, { axes, keepDims: true }))
        // Of no elements there is nothing to share; 1, so that no NaN reaches the cotangent's own gradient.
        const share = mul(kept, 2 / (x.size === 0 ? 1 : divisorOf(x, attributes)))
        return mul(share, sub(x, mean(x, { axis: axes, keepDims: true })))
      },
    ],
  },
)

/**
 * The variance of elements over axes: the sum of squares of x - mean(x), divided by n - correction. The mean is taken away first, in
 * float64: nothing cancels. NaN where there are no elements, and where none are left to divide by.
 *
 * The default is that of the population, as in NumPy and JAX (`ddof` 0) and Keras; PyTorch's is the unbiased estimate, `correction` 1.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @param options.correction taken from n, 0 by default
 * @throws RangeError when an axis is out of range or named twice, or the correction is below 0
 * @example
 * t.variance(t.tensor([1, 3, 5, 7])).item() // => 5
 * t.variance(t.tensor([[1, 3], [5, 9]]), { axis: 1, correction: 1 }).toArray() // => [2, 8]
 */
export function variance(x: Tensor, options: SpreadOptions = {}): Tensor {
  const from = tensorOperand('variance', x)
  return apply(varianceOperation, [from], spread('variance', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: varianceOperation,
    sample: spreadSample(variance),
    domains: [ordinary],
    ulps: 1,
    errors: [
      ...reduceErrors('variance', variance),
      {
        call: () => variance(tensor([1]), { correction: -1 }),
        kind: 'RangeError',
        message: 'variance: correction must be a number from 0 on, got -1; leave it out for 0',
      },
      {
        call: () => variance(tensor([1]), { correction: true as unknown as number }),
        kind: 'TypeError',
        message: 'variance: correction must be a number, got a boolean; leave it out for 0',
      },
    ],
  },
]
