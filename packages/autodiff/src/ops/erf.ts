import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { erf as exactErf } from '../error-function.ts'
import { gradientOf, held } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'

/** 2 / sqrt(pi), written out: bundlers keep what they cannot see to be a number. */
const peak = 1.1283791670955126

export const erfOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'erf',
  doc: '2 / sqrt(pi) times the integral of exp(-t ** 2) from 0 to x',
  reference: exactErf,
  expression: e.erf,
  vjp: (g, _, x) => erfGradient(g, x),
})

/**
 * The error function, element by element: 2/√π ∫₀ˣ exp(-t²) dt, within 4 ulp.
 *
 * @param x any shape
 * @returns the shape of `x`, between -1 and 1
 * @example
 * t.erf(t.tensor([0, Infinity])).toArray() // => [0, 1]
 */
export function erf(x: Operand): Tensor {
  return applyUnary(erfOperation, x)
}

export const erfGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'erfGradient',
  doc: 'g 2 / sqrt(pi) exp(-x ** 2)',
  reference: (x) => peak * Math.exp(-x * x),
  expression: (g, x) => {
    const { scaled } = e.bell(e.pmin(e.abs(x), e.constant(10.4)), 1)
    return e.mul(g, e.unscale(e.mul(scaled, e.constant(peak))))
  },
  second: (x) => mul(erfGradient(-2, x), held(x, 20)),
})

/**
 * The gradient of `erf`, element by element: g 2/√π exp(-x²).
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.erfGradient(1, t.tensor([0, 100])).toArray() // => [Math.fround(2 / Math.sqrt(Math.PI)), 0]
 */
export function erfGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(erfGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: erfOperation,
    sample: unarySample(erf),
    domains: [ordinary],
    ulps: 4,
    errors: unaryErrors('erf', erf),
  },
  {
    operation: erfGradientOperation,
    sample: binarySample(erfGradient),
    domains: [ordinary, { low: -8, high: 8 }],
    ulps: 4,
    errors: binaryErrors('erfGradient', erfGradient),
  },
]
