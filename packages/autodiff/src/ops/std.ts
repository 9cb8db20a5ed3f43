import { apply, tensorOperand } from '../apply.ts'
import { reduceErrors, spreadSample } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { atOnceScratch, reducedShape } from '../reduction.ts'
import { divisorOf, type Spread, type SpreadOptions, spread, spreadKernel, varianceOf } from '../squares.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { mean } from './mean.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { sub } from './sub.ts'
import { where } from './where.ts'

export const stdOperation: Operation<Spread, [Tensor]> = /*@__PURE__*/ defineOperation<Spread, [Tensor]>({
  name: 'std',
  doc: 'the square root of the mean square of x - mean(x) over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], attributes) => varianceOf(x!, attributes).map(Math.sqrt),
  scratch: ([x], { axes }) => atOnceScratch(x!, axes, 16),
  kernel: (output, [x], attributes, scratch) => spreadKernel(output, x, attributes, 1, scratch),
  batch: 'axes',
  vjp: [
    (g, y, [x], attributes) => {
      const { axes } = attributes
      const kept = reducedShape(x.shape, { axes, keepDims: true })
      const scale = reshape(y, kept)
      const isFlat = equal(scale, 0)
      const share = div(reshape(g, kept), x.size === 0 ? 1 : divisorOf(x, attributes))
      const rough = sub(x, mean(x, { axis: axes, keepDims: true }))
      // What rounding the mean has left in all of them: much, where they are close to each other.
      const distance = sub(rough, mean(rough, { axis: axes, keepDims: true }))
      return mul(where(isFlat, 0, share), div(distance, where(isFlat, 1, scale)))
    },
  ],
})

/**
 * The standard deviation of elements over axes: the square root of their variance, with the same options. In float64 up to the
 * root, so that squares do not overflow. Where all elements are equal the gradient is 0: the subgradient nearest to 0, where PyTorch
 * and JAX have NaN.
 *
 * The default is that of the population, as in NumPy and JAX (`ddof` 0) and Keras; PyTorch's is `correction` 1.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @param options.correction taken from n, 0 by default
 * @throws RangeError when an axis is out of range or named twice, or the correction is below 0
 * @example
 * t.std(t.tensor([[1, 3], [5, 9]]), { axis: 1 }).toArray() // => [1, 2]
 * t.grad((x) => t.std(x))(t.tensor([3, 3])).toArray() // => [0, 0]
 */
export function std(x: Tensor, options: SpreadOptions = {}): Tensor {
  const from = tensorOperand('std', x)
  return apply(stdOperation, [from], spread('std', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: stdOperation,
    sample: spreadSample(std),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 1,
    errors: [
      ...reduceErrors('std', std),
      {
        call: () => std(tensor([1]), { correction: Number.NaN }),
        kind: 'RangeError',
        message: 'std: correction must be a number from 0 on, got NaN; leave it out for 0',
      },
    ],
  },
]
