import { apply, tensorOperand } from '../apply.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkLastAxis, forEachRow, logSumExpOf, type None } from '../rows.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'

export const logSoftmaxOperation: Operation<None, [Tensor]> = /*@__PURE__*/ defineOperation<None, [Tensor]>({
  name: 'logSoftmax',
  doc: 'x - ln sum exp(x) along the last axis',
  shape: ([x]) => checkLastAxis('logSoftmax', x!.shape),
  reference: ([x]) => {
    const result = new Float64Array(x!.values.length)
    forEachRow(x!, (row, start) => {
      // Both terms relative to the largest, so that large rows do not cancel.
      const most = Math.max(...row)
      const total = logSumExpOf(row.map((value) => value - most))
      for (const [i, value] of row.entries()) result[start + i] = value - most - total
    })
    return result
  },
  kernel: (output, [x]) => {
    const width = x.shape[x.rank - 1]!
    wasm().logSoftmax(x.offset, output.offset, x.size / width, width)
  },
  inPlace: true,
  vjp: [(g, y) => sub(g, mul(exp(y), sum(g, { axis: -1, keepDims: true })))],
})

/**
 * Logarithms of probabilities: x - ln sum exp(x) along the last axis, finite where softmax would round to 0.
 *
 * @param x rank 1 or more
 * @returns the shape of `x`
 * @throws RangeError when the tensor is a scalar
 * @example
 * t.logSoftmax(t.tensor([[1000, 0]])).toArray() // => [[0, -1000]]
 */
export function logSoftmax(x: Tensor): Tensor {
  return apply(logSoftmaxOperation, [tensorOperand('logSoftmax', x)], {})
}

export const info: readonly OperationInfo[] = [
  {
    operation: logSoftmaxOperation,
    sample: (draw) => ({ shapes: [draw.shape(1, 3)], call: logSoftmax }),
    domains: [ordinary],
    ulps: 4,
    scale: ([x], output) =>
      [...Array.from(x!.values), ...Array.from(output)]
        .filter(Number.isFinite)
        .reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    errors: [
      {
        call: () => logSoftmax(tensor(1)),
        kind: 'RangeError',
        message: 'logSoftmax: a scalar has no last axis; reshape it to [1]',
      },
    ],
  },
]
