import { apply, tensorOperand } from '../apply.ts'
import { ordinary, reduceErrors } from '../info.ts'
import { joinRows } from '../joined-rows.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  forEachReduced,
  type Reduced,
  type ReduceOptions,
  reduced,
  reducedShape,
  reduceReference,
  reduceScratch,
  reduceWith,
} from '../reduction.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { softmax } from './softmax.ts'

export const logSumExpOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<
  Reduced,
  [Tensor]
>({
  name: 'logSumExp',
  doc: 'ln sum exp(x) over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], { axes }) => {
    const most = reduceReference(x!, axes, Number.NEGATIVE_INFINITY, Math.max)
    const total = new Float64Array(most.length)
    forEachReduced(x!, axes, (into, value) => {
      total[into]! += Math.exp(value - most[into]!)
    })
    return most.map((value, i) =>
      Math.abs(value) === Number.POSITIVE_INFINITY ? value : value + Math.log(total[i]!),
    )
  },
  scratch: ([x], { axes }) => reduceScratch(x!, axes, 12),
  kernel: (output, [x], { axes }, scratch) => {
    const kernels = wasm()
    if (axes.length === 1 && axes[0] === x.rank - 1) {
      kernels.logSumExp(x.offset, output.offset, output.size, x.shape[x.rank - 1]!)
      return
    }
    reduceWith(
      (from, out, outer, count, inner, columns) =>
        inner === 1
          ? kernels.logSumExp(from, out, outer, count)
          : kernels.softmaxColumns(from, out, outer, count, inner, 2, columns),
      output,
      x,
      axes,
      scratch,
    )
  },
  batch: 'axes',
  vjp: [
    (g, _, [x], { axes }) => {
      const [axis] = axes
      if (axis !== undefined && (axes.length === 1 || x.size === 0)) {
        return mul(softmax(x, { axis }), reshape(g, reducedShape(x.shape, { axes, keepDims: true })))
      }
      const { rows, back } = joinRows(x, axes)
      return back(mul(softmax(rows), reshape(g, [g.size, 1])))
    },
  ],
})

/**
 * ln sum exp(x) over axes, without overflow: a smooth maximum. -Infinity where there is nothing to add up.
 *
 * @param x rank 1 or more
 * @param options.axis which axes, the last by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @returns the shape of `x` without those axes
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.logSumExp(t.tensor([[1000, -1000], [7, -Infinity]])).toArray() // => [1000, 7]
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('logSumExp', x)
  return apply(logSumExpOperation, [from], reduced('logSumExp', from, options, -1))
}

export const info: readonly OperationInfo[] = [
  {
    operation: logSumExpOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 4)
      const axis = [...shape.keys()].filter(() => draw.integer(0, 1) === 1)
      const keepDims = draw.integer(0, 1) === 1
      const options = axis.length === 0 ? { keepDims } : { axis, keepDims }
      return { shapes: [shape], call: (x) => logSumExp(x!, options) }
    },
    domains: [ordinary],
    ulps: 4,
    scale: ([x], output) =>
      [...Array.from(x!.values), ...Array.from(output)]
        .filter(Number.isFinite)
        .reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    errors: [
      ...reduceErrors('logSumExp', logSumExp),
      {
        call: () => logSumExp(tensor(1)),
        kind: 'RangeError',
        message: 'logSumExp: axis -1 is out of range for rank 0; a scalar has no axes',
      },
    ],
  },
]
