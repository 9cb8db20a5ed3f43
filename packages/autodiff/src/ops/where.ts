import { applyTo, type Operand } from '../apply.ts'
import { none, ternary } from '../elementwise.ts'
import { broadcastable, ordinary, unaryErrors } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import { type Tensor, tensor } from '../tensor.ts'

export const whereOperation: ReturnType<typeof ternary> = /*@__PURE__*/ ternary({
  name: 'where',
  doc: 'a where the condition is not 0, else b',
  reference: (condition, a, b) => (condition !== 0 ? a : b),
  expression: (condition, a, b) => e.select(e.notEqual(condition, e.constant(0)), a, b),
  vjp: [null, (g, _, condition) => where(condition, g, 0), (g, _, condition) => where(condition, 0, g)],
})

/**
 * One of two tensors, element by element: `a` where the condition is not 0, else `b`. What is not chosen has no
 * influence on the value, and gets a cotangent of 0. That 0 becomes NaN again where it meets an infinite derivative further down:
 * guard the argument as well, `where(ok, sqrt(where(ok, x, 1)), 0)`. The condition has no gradient.
 *
 * @param condition 0 or 1, as comparisons give; NaN counts as not 0
 * @param a any shape that broadcasts with the others, or a number
 * @param b likewise
 * @returns the shape that all three broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.where(t.tensor([1, 0]), t.tensor([5, 6]), 0).toArray() // => [5, 0]
 */
export function where(condition: Operand, a: Operand, b: Operand): Tensor {
  return applyTo(whereOperation, [condition, a, b], none)
}

export const info: readonly OperationInfo[] = [
  {
    operation: whereOperation,
    sample: (draw) => ({ shapes: broadcastable(draw, 3), call: where }),
    domains: [{ low: 0, high: 1, integer: true }, ordinary],
    ulps: 0,
    errors: [
      ...unaryErrors('where', (x) => where(x, 1, 2)),
      {
        call: () => where(tensor([1, 0]), tensor([1, 2, 3]), 0),
        kind: 'RangeError',
        message:
          'where: shapes do not broadcast, got [2] and [3]; sizes must be equal or 1, matched from the last axis',
      },
    ],
  },
]
