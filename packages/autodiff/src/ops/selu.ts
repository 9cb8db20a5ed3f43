import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf, negativePart } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { greater } from './greater.ts'
import { mul } from './mul.ts'
import { where } from './where.ts'

const scale = 1.0507009873554805
const alpha = 1.6732632423543772

export const seluOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'selu',
  doc: '1.0507 (x where x > 0, else 1.6733 (exp(x) - 1))',
  reference: (x) => (x > 0 ? scale * x : scale * alpha * Math.expm1(x)),
  expression: (x) =>
    e.select(
      e.greater(x, e.constant(0)),
      e.mul(x, e.constant(scale)),
      e.mul(e.expm1(x), e.constant(scale * alpha)),
    ),
  vjp: (g, _, x) => seluGradient(g, x),
})

/**
 * The scaled exponential linear unit, element by element, within 4 ulp: λ x where x > 0, else λ α (eˣ - 1), with
 * λ = 1.0507009873554805 and α = 1.6732632423543772, which keep mean 0 and variance 1 from layer to layer (Klambauer et al. 2017).
 * The gradient at 0 is λ α, from the left, as in PyTorch.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.selu(t.tensor([0, 1])).toArray() // => [0, Math.fround(1.0507009873554805)]
 */
export function selu(x: Operand): Tensor {
  return applyUnary(seluOperation, x)
}

export const seluGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'seluGradient',
  doc: 'g (1.0507 where x > 0, else 1.7581 exp(x))',
  reference: (x) => (x > 0 ? scale : scale * alpha * Math.exp(x)),
  expression: (g, x) => {
    const left = e.mul(e.exp(x), e.constant(scale * alpha))
    return e.mul(g, e.select(e.greater(x, e.constant(0)), e.constant(scale), left))
  },
  second: (x) => mul(where(greater(x, 0), 0, scale * alpha), exp(negativePart(x))),
})

/**
 * The gradient of `selu`, element by element: λ g where x > 0, else λ α g eˣ.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.seluGradient(1, t.tensor([-1000, 1])).toArray() // => [0, Math.fround(1.0507009873554805)]
 */
export function seluGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(seluGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: seluOperation,
    sample: unarySample(selu),
    domains: [{ low: -3, high: 3, kinks: [0] }],
    ulps: 4,
    errors: unaryErrors('selu', selu),
  },
  {
    operation: seluGradientOperation,
    sample: binarySample(seluGradient),
    domains: [ordinary, { low: -3, high: 3, kinks: [0] }],
    ulps: 4,
    errors: binaryErrors('seluGradient', seluGradient),
  },
]
