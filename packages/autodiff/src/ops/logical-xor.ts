import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const logicalXorOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'logicalXor',
  doc: '1 where just one is 0, else 0',
  reference: (a, b) => ((a !== 0) !== (b !== 0) ? 1 : 0),
  expression: (a, b) => e.toNumber(e.xor(e.notEqual(a, e.constant(0)), e.notEqual(b, e.constant(0)))),
  vjp: [null, null],
})

/**
 * Where just one is true, element by element: 1 or 0. 0 and -0 are false, everything else is true, NaN too. It has no
 * gradient.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.logicalXor(t.tensor([0, 1, 2]), 1).toArray() // => [1, 0, 0]
 */
export function logicalXor(a: Operand, b: Operand): Tensor {
  return applyBinary(logicalXorOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logicalXorOperation,
    sample: binarySample(logicalXor),
    domains: [{ low: 0, high: 1, integer: true }],
    ulps: 0,
    errors: binaryErrors('logicalXor', logicalXor),
  },
]
