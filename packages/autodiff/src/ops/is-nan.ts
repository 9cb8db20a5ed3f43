import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const isNaNOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'isNaN',
  doc: '1 where x is NaN, else 0',
  reference: (x) => (Number.isNaN(x) ? 1 : 0),
  expression: (x) => e.toNumber(e.notEqual(x, x)),
  vjp: null,
})

/**
 * Where x is NaN, element by element: 1 or 0. It has no gradient.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.isNaN(t.tensor([1, NaN])).toArray() // => [0, 1]
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is what NumPy, PyTorch and JAX call it, and nothing here wants the global.
export function isNaN(x: Operand): Tensor {
  return applyUnary(isNaNOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: isNaNOperation,
    sample: unarySample(isNaN),
    domains: [ordinary],
    ulps: 0,
    errors: unaryErrors('isNaN', isNaN),
  },
]
