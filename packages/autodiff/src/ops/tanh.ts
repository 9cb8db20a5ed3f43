import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { gradientOf } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'

export const tanhOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'tanh',
  doc: '(exp(x) - exp(-x)) / (exp(x) + exp(-x))',
  reference: Math.tanh,
  expression: e.tanh,
  vjp: (g, y) => tanhGradient(g, y),
})

/**
 * The hyperbolic tangent, element by element: (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`
 * @example
 * t.tanh(t.tensor([0])).toArray() // => [0]
 */
export function tanh(x: Operand): Tensor {
  return applyUnary(tanhOperation, x)
}

export const tanhGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'tanhGradient',
  doc: 'g (1 - y) (1 + y)',
  reference: (y) => (1 - y) * (1 + y),
  // Near |y| = 1 the factors keep the digits that 1 - y ** 2 loses.
  expression: (g, y) => {
    const [one, size] = [e.constant(1), e.abs(y)]
    return e.mul(e.mul(g, e.sub(one, size)), e.add(size, one))
  },
  second: (y) => mul(y, -2),
})

/**
 * The gradient of `tanh` from its result, element by element: g (1 - y) (1 + y).
 *
 * @param g the cotangent: any shape that broadcasts with y, or a number
 * @param y any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.tanhGradient(4, t.tensor([0, 0.5, 1])).toArray() // => [4, 3, 0]
 */
export function tanhGradient(g: Operand, y: Operand): Tensor {
  return applyBinary(tanhGradientOperation, g, y)
}

export const info: readonly OperationInfo[] = [
  {
    operation: tanhOperation,
    sample: unarySample(tanh),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('tanh', tanh),
  },
  {
    operation: tanhGradientOperation,
    sample: binarySample(tanhGradient),
    domains: [ordinary, { low: -1, high: 1 }],
    ulps: 3,
    errors: binaryErrors('tanhGradient', tanhGradient),
  },
]
