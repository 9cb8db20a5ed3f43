import { applyTo, type Operand } from '../apply.ts'
import { none, ternary } from '../elementwise.ts'
import { failRange } from '../fail.ts'
import { broadcastable, unaryErrors } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { greater } from './greater.ts'
import { less } from './less.ts'
import { lessEqual } from './less-equal.ts'
import { logicalAnd } from './logical-and.ts'
import { maximum } from './maximum.ts'
import { where } from './where.ts'

export const clipOperation: ReturnType<typeof ternary> = /*@__PURE__*/ ternary({
  name: 'clip',
  doc: 'min(max(x, low), high)',
  reference: (x, low, high) => Math.min(Math.max(x, low), high),
  expression: (x, low, high) => e.minimum(e.maximum(x, low), high),
  vjp: [
    (g, _, x, low, high) => where(logicalAnd(lessEqual(low, x), lessEqual(x, high)), g, 0),
    (g, _, x, low, high) => where(logicalAnd(less(x, low), lessEqual(low, high)), g, 0),
    (g, _, x, low, high) => where(greater(maximum(x, low), high), g, 0),
  ],
})

/**
 * The nearest number between two bounds, element by element: min(max(x, low), high); NaN stays NaN. Where tensors of bounds
 * cross, the upper one holds, as in NumPy. The gradient is 1 inside and at the bounds, as in PyTorch, and 0 outside, where it goes to
 * the bound.
 *
 * @param x any shape, or a number
 * @param low the lower bound, which broadcasts; none where it is left out or null
 * @param high the upper bound, likewise
 * @returns the shape that all broadcast to
 * @throws RangeError when there is no bound, when numbers cross, or the shapes do not broadcast
 * @example
 * t.clip(t.tensor([-1, 2, 9]), 0, 6).toArray() // => [0, 2, 6]
 * t.clip(t.tensor([-1, 2, 9]), null, 6).toArray() // => [-1, 2, 6]
 */
export function clip(x: Operand, low?: Operand | null, high?: Operand | null): Tensor {
  const [from, to] = [low ?? null, high ?? null]
  if (from === null && to === null) failRange('clip', 'there is no bound', 'pass low, high or both')
  if (typeof from === 'number' && typeof to === 'number' && from > to) {
    failRange('clip', `low is above high, got ${from} and ${to}`, 'swap them')
  }
  return applyTo(clipOperation, [x, from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY], none)
}

export const info: readonly OperationInfo[] = [
  {
    operation: clipOperation,
    // Not `clip` itself: random programs would call it with numbers that cross.
    sample: (draw) => ({ shapes: broadcastable(draw, 3), call: (x, low, high) => clip(x!, low, high) }),
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      ...unaryErrors('clip', (x) => clip(x, 0)),
      {
        call: () => clip(1, 'a' as unknown as Operand),
        kind: 'TypeError',
        message: 'clip: operands must be tensors or numbers, got a string; wrap arrays in t.tensor',
      },
      {
        call: () => clip(tensor([1]), null),
        kind: 'RangeError',
        message: 'clip: there is no bound; pass low, high or both',
      },
      {
        call: () => clip(tensor([1]), 2, 1),
        kind: 'RangeError',
        message: 'clip: low is above high, got 2 and 1; swap them',
      },
      {
        call: () => clip(tensor([1, 0]), tensor([1, 2, 3]), 9),
        kind: 'RangeError',
        message:
          'clip: shapes do not broadcast, got [2] and [3]; sizes must be equal or 1, matched from the last axis',
      },
    ],
  },
]
