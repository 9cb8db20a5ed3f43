import { apply, tensorOperand } from '../apply.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkLastAxis, forEachRow, type None } from '../rows.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'

export const softmaxOperation: Operation<None, [Tensor]> = /*@__PURE__*/ defineOperation<None, [Tensor]>({
  name: 'softmax',
  doc: 'exp(x) over its sum along the last axis',
  shape: ([x]) => checkLastAxis('softmax', x!.shape),
  reference: ([x]) => {
    const result = new Float64Array(x!.values.length)
    forEachRow(x!, (row, start) => {
      const most = Math.max(...row)
      const powers = row.map((value) => Math.exp(value - most))
      const total = powers.reduce((a, b) => a + b, 0)
      for (const [i, power] of powers.entries()) result[start + i] = power / total
    })
    return result
  },
  kernel: (output, [x]) => {
    const width = x.shape[x.rank - 1]!
    wasm().softmax(x.offset, output.offset, x.size / width, width)
  },
  inPlace: true,
  vjp: [(g, y) => mul(y, sub(g, sum(mul(g, y), { axis: -1, keepDims: true })))],
})

/**
 * Rows of probabilities: exp(x) / sum exp(x) along the last axis, computed from x minus the row's largest.
 *
 * @param x rank 1 or more
 * @returns the shape of `x`; rows sum to 1
 * @throws RangeError when the tensor is a scalar
 * @example
 * t.softmax(t.tensor([[0, 0], [1000, -1000]])).toArray() // => [[0.5, 0.5], [1, 0]]
 */
export function softmax(x: Tensor): Tensor {
  return apply(softmaxOperation, [tensorOperand('softmax', x)], {})
}

export const info: readonly OperationInfo[] = [
  {
    operation: softmaxOperation,
    sample: (draw) => ({ shapes: [draw.shape(1, 3)], call: softmax }),
    domains: [ordinary],
    ulps: 8,
    errors: [
      {
        call: () => softmax(tensor(1)),
        kind: 'RangeError',
        message: 'softmax: a scalar has no last axis; reshape it to [1]',
      },
    ],
  },
]
