import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

const nearestEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))

export const roundOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'round',
  doc: 'the nearest whole number, the even one of two',
  reference: nearestEven,
  expression: e.nearest,
  vjp: null,
})

/**
 * The nearest whole number, element by element. Halves go to the even neighbour, as in NumPy, PyTorch and IEEE 754; `Math.round`
 * takes them up. Its gradient is 0 everywhere.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.round(t.tensor([0.5, 1.5, -2.5, 2.6])).toArray() // => [0, 2, -2, 3]
 */
export function round(x: Operand): Tensor {
  return applyUnary(roundOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: roundOperation,
    sample: unarySample(round),
    domains: [{ low: -3, high: 3, kinks: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5] }],
    ulps: 0,
    errors: unaryErrors('round', round),
  },
]
