import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { hypot } from './hypot.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { where } from './where.ts'

/** A coordinate by the squared distance from the origin, which may overflow; 0 at the origin. */
function bySquare(coordinate: Tensor, y: Tensor, x: Tensor): Tensor {
  const length = hypot(y, x)
  const safe = where(equal(length, 0), 1, length)
  return div(div(coordinate, safe), safe)
}

export const atan2Operation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'atan2',
  doc: 'the angle of the point (x, y)',
  reference: Math.atan2,
  expression: e.atan2,
  vjp: [(g, _, y, x) => mul(g, bySquare(x, y, x)), (g, _, y, x) => neg(mul(g, bySquare(y, y, x)))],
})

/**
 * The angle of the point (x, y) with the x axis, element by element: atan(y / x) in the quadrant where the point is, between
 * -π and π, within 0.51 ulp.
 *
 * At a zero y it is 0 or π by the sign of x, zeros included, with the sign of y; where both are infinite an odd multiple of
 * π/4: as IEEE 754 has it.
 *
 * @param y any shape that broadcasts with the other, or a number
 * @param x likewise
 * @returns the shape that both broadcast to. The gradient is (x, -y) / (x² + y²), and 0 at the origin, where there is none
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.atan2(t.tensor([1, -1]), t.tensor([1, -1])).toArray() // => [0.7853981852531433, -2.356194496154785]
 */
export function atan2(y: Operand, x: Operand): Tensor {
  return applyBinary(atan2Operation, y, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: atan2Operation,
    sample: binarySample(atan2),
    domains: [
      { low: -3, high: 3, kinks: [0] },
      { low: -3, high: 3, kinks: [0] },
    ],
    ulps: 1,
    errors: binaryErrors('atan2', atan2),
  },
]
