import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'

export const isFiniteOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'isFinite',
  doc: '1 where x is neither infinite nor NaN, else 0',
  reference: (x) => (Number.isFinite(x) ? 1 : 0),
  expression: (x) => e.toNumber(e.less(e.abs(x), e.constant(Number.POSITIVE_INFINITY))),
  vjp: null,
})

/**
 * Where x is neither infinite nor NaN, element by element: 1 or 0. It has no gradient.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.isFinite(t.tensor([1, Infinity, NaN])).toArray() // => [1, 0, 0]
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: it is what NumPy, PyTorch and JAX call it, and nothing here wants the global.
export function isFinite(x: Operand): Tensor {
  return applyUnary(isFiniteOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: isFiniteOperation,
    sample: unarySample(isFinite),
    domains: [ordinary],
    ulps: 0,
    errors: unaryErrors('isFinite', isFinite),
  },
]
