import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const mulOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'mul',
  doc: 'a * b',
  reference: (a, b) => a * b,
  expression: e.mul,
  vjp: [(g, _, _a, b) => mul(g, b), (g, _, a) => mul(g, a)],
})

/**
 * The product of two tensors, element by element: a * b.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.mul(t.tensor([1, 2, 3]), 2).toArray() // => [2, 4, 6]
 */
export function mul(a: Operand, b: Operand): Tensor {
  return applyBinary(mulOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: mulOperation,
    sample: binarySample(mul),
    domains: [ordinary],
    ulps: 0,
    errors: binaryErrors('mul', mul),
  },
]
