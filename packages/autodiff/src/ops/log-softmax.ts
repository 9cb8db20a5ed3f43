import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  type Along,
  type AxisOptions,
  alongKernel,
  alongScratch,
  applyAlong,
  axisErrors,
  mapLines,
} from '../rows.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'

export const logSoftmaxOperation: Operation<Along, [Tensor]> = /*@__PURE__*/ defineOperation<Along, [Tensor]>(
  {
    name: 'logSoftmax',
    doc: 'x - ln sum exp(x) along an axis',
    shape: ([x]) => x!.shape,
    reference: ([x], { axis }) =>
      mapLines(x!, axis, (line) => {
        // Both terms relative to the largest, so that large rows do not cancel.
        const most = Math.max(...line)
        const rest = line.map((value) => value - most)
        const total = Math.log(rest.reduce((sum, value) => sum + Math.exp(value), 0))
        return rest.map((value) => value - total)
      }),
    scratch: ([x], { axis }) => alongScratch(x!, axis),
    kernel: (output, [x], { axis }, scratch) => alongKernel('logSoftmax', output, x, axis, scratch),
    inPlace: true,
    batch: 'axes',
    vjp: [(g, y, _, { axis }) => sub(g, mul(exp(y), sum(g, { axis, keepDims: true })))],
  },
)

/**
 * Logarithms of probabilities: x - ln sum exp(x) along an axis, finite where softmax would round to 0.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @returns the shape of `x`
 * @throws RangeError when the axis is out of range
 * @example
 * t.logSoftmax(t.tensor([[1000, 0]])).toArray() // => [[0, -1000]]
 */
export function logSoftmax(x: Tensor, options: AxisOptions = {}): Tensor {
  return applyAlong(logSoftmaxOperation, x, options)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logSoftmaxOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3)
      const axis = draw.integer(0, shape.length - 1)
      return { shapes: [shape], call: (x) => logSoftmax(x!, { axis }) }
    },
    domains: [ordinary],
    ulps: 4,
    scale: ([x], output) =>
      [...Array.from(x!.values), ...Array.from(output)]
        .filter(Number.isFinite)
        .reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    errors: axisErrors('logSoftmax', logSoftmax),
  },
]
