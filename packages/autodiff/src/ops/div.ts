import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

export const divOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'div',
  doc: 'a / b',
  reference: (a, b) => a / b,
  expression: e.div,
  vjp: [(g, _, _a, b) => div(g, b), (g, y, _a, b) => neg(div(mul(g, y), b))],
})

/**
 * The quotient of two tensors, element by element: a / b, as IEEE 754 divides (1 / 0 is Infinity).
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.div(t.tensor([1, 2]), t.tensor([4, 5])).toArray() // => [0.25, 0.4000000059604645]
 */
export function div(a: Operand, b: Operand): Tensor {
  return applyBinary(divOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: divOperation,
    sample: binarySample(div),
    domains: [ordinary, { low: -4, high: 4, kinks: [0] }],
    ulps: 0,
    errors: binaryErrors('div', div),
  },
]
