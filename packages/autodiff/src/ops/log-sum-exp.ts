import { apply, tensorOperand } from '../apply.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkLastAxis, forEachRow, logSumExpOf, type None } from '../rows.ts'
import { sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { softmax } from './softmax.ts'

export const logSumExpOperation: Operation<None, [Tensor]> = /*@__PURE__*/ defineOperation<None, [Tensor]>({
  name: 'logSumExp',
  doc: 'ln sum exp(x) along the last axis',
  shape: ([x]) => checkLastAxis('logSumExp', x!.shape).slice(0, -1),
  reference: ([x], _, shape) => {
    const result = new Float64Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY)
    let next = 0
    forEachRow(x!, (row) => {
      result[next++] = logSumExpOf(row)
    })
    return result
  },
  kernel: (output, [x]) => {
    wasm().logSumExp(x.offset, output.offset, output.size, x.shape[x.rank - 1]!)
  },
  vjp: [(g, _, [x]) => mul(softmax(x), reshape(g, [...g.shape, 1]))],
})

/**
 * ln sum exp(x) along the last axis, without overflow: a smooth maximum. -Infinity for an empty row.
 *
 * @param x rank 1 or more
 * @returns the shape of `x` without its last axis
 * @throws RangeError when the tensor is a scalar
 * @example
 * t.logSumExp(t.tensor([[1000, -1000], [7, -Infinity]])).toArray() // => [1000, 7]
 */
export function logSumExp(x: Tensor): Tensor {
  return apply(logSumExpOperation, [tensorOperand('logSumExp', x)], {})
}

export const info: readonly OperationInfo[] = [
  {
    operation: logSumExpOperation,
    sample: (draw) => ({ shapes: [draw.shape(1, 3)], call: logSumExp }),
    domains: [ordinary],
    ulps: 4,
    scale: ([x], output) =>
      [...Array.from(x!.values), ...Array.from(output)]
        .filter(Number.isFinite)
        .reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    errors: [
      {
        call: () => logSumExp(tensor(1)),
        kind: 'RangeError',
        message: 'logSumExp: a scalar has no last axis; reshape it to [1]',
      },
    ],
  },
]
