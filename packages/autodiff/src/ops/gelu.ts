import type { Operand } from '../apply.ts'
import { applyBinary, applyUnary, unary } from '../elementwise.ts'
import { normalBelow } from '../error-function.ts'
import { failType } from '../fail.ts'
import { gradientOf, held } from '../gradient.ts'
import { binaryErrors, binarySample, ordinary, unaryErrors, unarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import type { Tensor } from '../tensor.ts'
import { exp } from './exp.ts'
import { geluTanh } from './gelu-tanh.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The standard normal density at 0. */
/** 1 / sqrt(2 pi), written out: bundlers keep what they cannot see to be a number. */
const peak = 0.3989422804014327

export const geluOperation: ReturnType<typeof unary> = /*@__PURE__*/ unary({
  name: 'gelu',
  doc: 'x times the share of a standard normal distribution below x',
  reference: (x) => (x === Number.NEGATIVE_INFINITY ? -0 : x * normalBelow(x)),
  expression: (x) => {
    const size = e.pmin(e.abs(x), e.constant(14.8))
    const { scaled, over, under } = e.normalTail(size)
    return e.reluMinus(x, e.unscale(e.div(e.mul(e.mul(size, scaled), over), under)))
  },
  vjp: (g, _, x) => geluGradient(g, x),
})

/** Which form of `gelu`. */
export interface GeluOptions {
  readonly approximate?: 'none' | 'tanh'
}

/**
 * The Gaussian error linear unit, element by element: x Φ(x) = x/2 (1 + erf(x/√2)), within 8 ulp, far below 0 too, where the
 * formula with erf cancels (Hendrycks & Gimpel 2016). At -Infinity it is -0, its limit.
 *
 * @param x any shape
 * @param options.approximate 'none', the default as in PyTorch, or 'tanh': x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
 * @returns the shape of `x`
 * @throws TypeError when `approximate` is another word; RangeError for another option
 * @example
 * t.gelu(t.tensor([0, -1000, Infinity])).toArray() // => [0, -0, Infinity]
 * t.gelu(t.tensor([1]), { approximate: 'tanh' }).toArray() // => [0.8411920070648193]
 */
export function gelu(x: Operand, options: GeluOptions = {}): Tensor {
  checkOptions('gelu', options, ['approximate'])
  const { approximate = 'none' } = options
  if (approximate === 'tanh') return geluTanh(x)
  if (approximate !== 'none') {
    failType('gelu', `approximate must be 'none' or 'tanh', got '${String(approximate)}'`)
  }
  return applyUnary(geluOperation, x)
}

export const geluGradientOperation: ReturnType<typeof gradientOf> = /*@__PURE__*/ gradientOf({
  name: 'geluGradient',
  doc: 'g (P(x) + x p(x)), P and p the standard normal distribution and density',
  reference: (x) => {
    const h = Math.max(-100, Math.min(100, x))
    return normalBelow(h) + h * peak * Math.exp((-h * h) / 2)
  },
  expression: (g, x) => {
    const size = e.pmin(e.abs(x), e.constant(14.8))
    const { scaled, over, under } = e.normalTail(size)
    const inner = e.sub(over, e.mul(under, e.mul(size, e.constant(peak))))
    return e.mul(g, e.reluSlope(x, e.unscale(e.div(e.mul(scaled, inner), under))))
  },
  second: (x) => {
    const squared = square(held(x, 20))
    return mul(mul(exp(mul(squared, -0.5)), peak), sub(2, squared))
  },
})

/**
 * The gradient of `gelu` in its erf form, element by element: g (Φ(x) + x φ(x)). It crosses 0 at x = -0.752.
 *
 * @param g the cotangent: any shape that broadcasts with x, or a number
 * @param x any shape, or a number
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.geluGradient(2, t.tensor([0, 1000])).toArray() // => [1, 2]
 */
export function geluGradient(g: Operand, x: Operand): Tensor {
  return applyBinary(geluGradientOperation, g, x)
}

export const info: readonly OperationInfo[] = [
  {
    operation: geluOperation,
    sample: unarySample(gelu),
    domains: [{ low: -8, high: 8 }],
    ulps: 8,
    errors: [
      ...unaryErrors('gelu', gelu),
      {
        call: () => gelu(1, { approximate: 'erf' as unknown as 'none' }),
        kind: 'TypeError',
        message: "gelu: approximate must be 'none' or 'tanh', got 'erf'",
      },
      {
        call: () => gelu(1, { exact: true } as GeluOptions),
        kind: 'RangeError',
        message: "gelu: unknown option 'exact'; use approximate",
      },
    ],
  },
  {
    operation: geluGradientOperation,
    sample: binarySample(geluGradient),
    domains: [ordinary, { low: -8, high: 8 }],
    ulps: 8,
    scale: (_, _y, magnitudes) => magnitudes,
    errors: binaryErrors('geluGradient', geluGradient),
  },
]
