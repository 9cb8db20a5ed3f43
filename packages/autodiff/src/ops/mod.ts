import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import { floorMod } from '../kernels/floor-mod.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { round } from './round.ts'
import { sub } from './sub.ts'

export const modOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'mod',
  doc: 'a - b floor(a / b)',
  reference: (a, b) => {
    const isBeyond = Math.abs(a) >= 2 ** 44 * Math.abs(b) && b !== 0 && Number.isFinite(a)
    const rest = isBeyond ? 0 : a % b
    if (rest === 0) return b < 0 ? -0 : 0
    return rest < 0 === b < 0 ? rest : rest + b
  },
  expression: floorMod,
  // The quotient is a whole number but for rounding.
  vjp: [(g) => g, (g, y, a, b) => neg(mul(g, round(div(sub(a, y), b))))],
})

/**
 * The remainder, element by element: a - b floor(a / b). It has the sign of b, as in NumPy and Python (JavaScript's `%` has that
 * of a), also where it is 0. It is exact, but for the one rounding where the signs of a and b differ, while |a| < 2^44 |b|; beyond,
 * where a step in the last place of a is more than 2^19 b, it is 0. NaN where b is 0 or a infinite. The gradient is g by a, and
 * -g floor(a / b) by b.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.mod(t.tensor([7, -7, 7]), t.tensor([3, 3, -3])).toArray() // => [1, 2, -2]
 */
export function mod(a: Operand, b: Operand): Tensor {
  return applyBinary(modOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: modOperation,
    sample: binarySample(mod),
    // The quotient is between 2 and 3 throughout: it jumps at whole numbers.
    domains: [
      { low: 5.1, high: 5.8 },
      { low: 2, high: 2.5 },
    ],
    ulps: 0,
    errors: binaryErrors('mod', mod),
  },
]
