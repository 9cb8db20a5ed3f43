import type { Operand } from '../apply.ts'
import { applyUnary, unary } from '../elementwise.ts'
import { unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { sigmoid } from './sigmoid.ts'

export const softplusOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'softplus',
  doc: 'ln(1 + exp(x))',
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  // Both terms are positive: nothing cancels, and nothing overflows.
  expression: (x) => {
    const { value } = e.decay(e.pmin(e.abs(x), e.constant(110)))
    return e.add(e.pmax(x, e.constant(0)), e.log1pOfUnit(value))
  },
  vjp: (g, _, x) => mul(g, sigmoid(x)),
})

/**
 * A smooth relu, element by element: ln(1 + eˣ), within 4 ulp, where it is tiny too (Dugas et al. 2001). Its gradient is the
 * sigmoid. PyTorch's `beta` is `div(softplus(mul(x, beta)), beta)`; its `threshold` is not needed.
 *
 * @param x any shape
 * @returns the shape of `x`; x itself where that is large, eˣ where it is far below 0
 * @example
 * t.softplus(t.tensor([1000, -1000])).toArray() // => [1000, 0]
 */
export function softplus(x: Operand): Tensor {
  return applyUnary(softplusOperation, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: softplusOperation,
    sample: unarySample(softplus),
    domains: [{ low: -20, high: 20 }],
    ulps: 4,
    errors: unaryErrors('softplus', softplus),
  },
]
