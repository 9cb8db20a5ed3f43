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
import { mul } from './mul.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'

export const softmaxOperation: Operation<Along, [Tensor]> = /*@__PURE__*/ defineOperation<Along, [Tensor]>({
  name: 'softmax',
  doc: 'exp(x) over its sum along an axis',
  shape: ([x]) => x!.shape,
  reference: ([x], { axis }) =>
    mapLines(x!, axis, (line) => {
      const most = Math.max(...line)
      const powers = line.map((value) => Math.exp(value - most))
      const total = powers.reduce((a, b) => a + b, 0)
      return powers.map((power) => power / total)
    }),
  scratch: ([x], { axis }) => alongScratch(x!, axis),
  kernel: (output, [x], { axis }, scratch) => alongKernel('softmax', output, x, axis, scratch),
  inPlace: true,
  batch: 'axes',
  vjp: [(g, y, _, { axis }) => mul(y, sub(g, sum(mul(g, y), { axis, keepDims: true })))],
})

/**
 * Probabilities: exp(x) / sum exp(x) along an axis, computed from x minus the largest.
 *
 * @param x rank 1 or more
 * @param options.axis along which axis, the last by default
 * @returns the shape of `x`; sums along the axis are 1
 * @throws RangeError when the axis is out of range
 * @example
 * t.softmax(t.tensor([[0, 0], [1000, -1000]])).toArray() // => [[0.5, 0.5], [1, 0]]
 * t.softmax(t.tensor([[0, 1000], [0, -1000]]), { axis: 0 }).toArray() // => [[0.5, 1], [0.5, 0]]
 */
export function softmax(x: Tensor, options: AxisOptions = {}): Tensor {
  return applyAlong(softmaxOperation, x, options)
}

export const info: readonly OperationInfo[] = [
  {
    operation: softmaxOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 3)
      const axis = draw.integer(0, shape.length - 1)
      return { shapes: [shape], call: (x) => softmax(x!, { axis }) }
    },
    domains: [ordinary],
    ulps: 8,
    errors: axisErrors('softmax', softmax),
  },
]
