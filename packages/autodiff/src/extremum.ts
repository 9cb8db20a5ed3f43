import { zeros } from './creation.ts'
import { failRange } from './fail.ts'
import { joinRows } from './joined-rows.ts'
import { wasm } from './kernels/wasm.ts'
import { defineOperation, type Operation } from './operation.ts'
import { mul } from './ops/mul.ts'
import { oneHot } from './ops/one-hot.ts'
import { reshape } from './ops/reshape.ts'
import {
  forEachReduced,
  type Reduced,
  reducedCount,
  reducedShape,
  reduceReference,
  reduceScratch,
  reduceWith,
} from './reduction.ts'
import { showShape, sizeOf } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** Which of the elements is meant. */
export type Extreme = 'largest' | 'smallest'

const startOf = (extreme: Extreme): number =>
  extreme === 'largest' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY

/** As kernels take it. */
const flagOf = (extreme: Extreme): 0 | 1 => (extreme === 'smallest' ? 1 : 0)

/**
 * Declares the largest, or smallest, element over axes.
 *
 * @param placeOf along the last axis of a matrix, where the element stands that gets the gradient
 */
export function extremum(
  name: string,
  extreme: Extreme,
  placeOf: (rows: Tensor) => Tensor,
): Operation<Reduced, [Tensor]> {
  const minimum = flagOf(extreme)
  return defineOperation<Reduced, [Tensor]>({
    name,
    doc: `the ${extreme} element over axes; NaN where one is`,
    shape: ([x], attributes) => {
      const shape = reducedShape(x!.shape, attributes)
      if (reducedCount(x!.shape, attributes.axes) === 0 && sizeOf(shape) > 0) {
        failRange(
          name,
          `there is no ${extreme} of no elements, got shape ${showShape(x!.shape)}`,
          'reduce axes that are not empty',
        )
      }
      return shape
    },
    reference: ([x], { axes }) =>
      reduceReference(x!, axes, startOf(extreme), minimum === 1 ? Math.min : Math.max),
    reduces: ({ axes }) => axes,
    scratch: ([x], { axes }) => reduceScratch(x!, axes),
    kernel: (output, [x], { axes }, scratch) =>
      reduceWith(wasm().reduceMax, output, x, axes, scratch, minimum),
    vjp: [
      (g, _, [x], { axes }) => {
        // Nothing of nothing has no place.
        if (x.size === 0) return zeros(x.shape)
        const { rows, count, back } = joinRows(x, axes)
        return back(mul(oneHot(placeOf(rows), count), reshape(g, [g.size, 1])))
      },
    ],
  })
}

/** Declares the place of the largest, or smallest, element along one axis: the first of several, or of the first NaN. */
export function argExtremum(name: string, extreme: Extreme): Operation<Reduced, [Tensor]> {
  const minimum = flagOf(extreme)
  return defineOperation<Reduced, [Tensor]>({
    name,
    doc: `the index of the first ${extreme} element along an axis`,
    shape: ([x], attributes) => {
      const count = x!.shape[attributes.axes[0]!]!
      if (count === 0 || count > 2 ** 24) {
        failRange(
          name,
          `the axis must hold 1 to 2^24 elements, got shape ${showShape(x!.shape)}`,
          'integers beyond are not exact in float32',
        )
      }
      return reducedShape(x!.shape, attributes)
    },
    reference: ([x], { axes }) => {
      const size = sizeOf(reducedShape(x!.shape, { axes, keepDims: true }))
      const best = new Float64Array(size).fill(startOf(extreme))
      const at = new Float64Array(size)
      const seen = new Float64Array(size)
      forEachReduced(x!, axes, (into, value) => {
        const isBeyond = minimum === 1 ? value < best[into]! : value > best[into]!
        if (isBeyond || (Number.isNaN(value) && !Number.isNaN(best[into]!))) {
          best[into] = value
          at[into] = seen[into]!
        }
        seen[into]!++
      })
      return at
    },
    kernel: (output, [x], { axes }) => reduceWith(wasm().argMax, output, x, axes, 0, minimum),
    batch: 'axes',
    vjp: [null],
  })
}
