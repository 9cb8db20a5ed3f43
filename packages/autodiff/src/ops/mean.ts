import { apply, tensorOperand } from '../apply.ts'
import { ordinary, reduceSample } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  type Reduced,
  type ReduceOptions,
  reduced,
  reducedCount,
  reducedShape,
  reduceReference,
  reduceWith,
  sumScratch,
} from '../reduction.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { div } from './div.ts'
import { spread } from './sum.ts'

export const meanOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>({
  name: 'mean',
  doc: 'the mean over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], { axes }) => {
    const count = reducedCount(x!.shape, axes)
    return reduceReference(x!, axes, 0, (sum, value) => sum + value).map((sum) => sum / count)
  },
  reduces: ({ axes }) => axes,
  fromSum: (sum, count) => sum / count,
  scratch: ([x], { axes }) => sumScratch(x!, axes),
  kernel: (output, [x], { axes }, scratch) => {
    reduceWith(wasm().reduceSum, output, x, axes, scratch)
    wasm().divide(output.offset, output.size, reducedCount(x.shape, axes))
  },
  vjp: [
    (g, _, [x], { axes }) => {
      // Of no elements there is nothing to share; 1, so that no NaN reaches the cotangent's own gradient.
      return spread(div(g, Math.max(1, reducedCount(x.shape, axes))), x.shape, axes)
    },
  ],
})

/**
 * The mean of elements over axes: their sum divided by how many there are; NaN where there are none, and infinite where the
 * sum overflows, as in NumPy.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.mean(t.tensor([[1, 2], [3, 4]])).item() // => 2.5
 * t.mean(t.tensor([[1, 2], [3, 4]]), { axis: 1, keepDims: true }).toArray() // => [[1.5], [3.5]]
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('mean', x)
  return apply(meanOperation, [from], reduced('mean', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: meanOperation,
    sample: reduceSample(mean),
    domains: [ordinary],
    ulps: 4,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => mean(tensor([1]), { axis: -2 }),
        kind: 'RangeError',
        message: 'mean: axis -2 is out of range for rank 1; use -1 to 0',
      },
    ],
  },
]
