import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const addOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'add',
  doc: 'a + b',
  reference: (a, b) => a + b,
  expression: e.add,
  vjp: [(g) => g, (g) => g],
})

/**
 * The sum of two tensors, element by element: a + b.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.add(t.tensor([[1, 2], [3, 4]]), t.tensor([10, 20])).toArray() // => [[11, 22], [13, 24]]
 */
export function add(a: Operand, b: Operand): Tensor {
  return applyBinary(addOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: addOperation,
    sample: binarySample(add),
    domains: [ordinary],
    ulps: 0,
    errors: binaryErrors('add', add),
  },
]
