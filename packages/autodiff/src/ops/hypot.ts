import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { mul } from './mul.ts'
import { where } from './where.ts'

/** A side by the length, and 0 where both are 0. */
const share = (side: Tensor, length: Tensor): Tensor => div(side, where(equal(length, 0), 1, length))

export const hypotOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'hypot',
  doc: 'sqrt(a * a + b * b)',
  reference: Math.hypot,
  expression: e.hypot,
  vjp: [(g, y, a) => mul(g, share(a, y)), (g, y, _a, b) => mul(g, share(b, y))],
})

/**
 * The length of the vector (a, b), element by element: √(a² + b²), within 0.51 ulp. Squares neither overflow nor vanish on
 * the way. Infinity where either is infinite, even beside NaN, as IEEE 754 has it.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to. The gradient at (0, 0), where there is none, is 0: a subgradient
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.hypot(t.tensor([3, 3e30]), t.tensor([4, 4e30])).toArray() // => [5, 4.999999840142846e+30]
 */
export function hypot(a: Operand, b: Operand): Tensor {
  return applyBinary(hypotOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: hypotOperation,
    sample: binarySample(hypot),
    domains: [
      { low: -3, high: 3, kinks: [0] },
      { low: -3, high: 3, kinks: [0] },
    ],
    ulps: 1,
    errors: binaryErrors('hypot', hypot),
  },
]
