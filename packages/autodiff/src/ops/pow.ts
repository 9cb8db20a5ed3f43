import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { equal } from './equal.ts'
import { greater } from './greater.ts'
import { log } from './log.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'
import { where } from './where.ts'

/** As IEEE 754 has it; JavaScript has NaN for 1 ** NaN, 1 ** Infinity and (-1) ** Infinity. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY)) return 1
  return a ** b
}

/**
 * b a^(b - 1). At b = 0 that is 0, and 0 times an infinity may not become NaN: where a is 0, or tiny, it is raised to 0.
 * Elsewhere the formula stays, because its own derivative by b is part of second derivatives.
 */
function byBase(a: Tensor, b: Tensor): Tensor {
  const isTiny = where(greater(square(a), 0), 0, equal(b, 0))
  return mul(b, pow(a, where(isTiny, 0, sub(b, 1))))
}

/** a^b log a; 0 where a^b is, and at a = b = 0: there an infinite logarithm is left out. NaN of negative bases. */
function byExponent(a: Tensor, b: Tensor, y: Tensor): Tensor {
  const isStill = where(equal(a, 0), where(greater(0, b), 0, 1), equal(y, 0))
  return mul(y, log(where(isStill, where(greater(0, a), a, 1), a)))
}

export const powOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'pow',
  doc: 'a ** b',
  reference: power,
  expression: e.pow,
  vjp: [(g, _, a, b) => mul(g, byBase(a, b)), (g, y, a, b) => mul(g, byExponent(a, b, y))],
})

/**
 * The power of two tensors, element by element: aᵇ, within 0.51 ulp. A negative base gives NaN unless the exponent is whole.
 *
 * Special values are those of IEEE 754 and NumPy: a⁰ = 1 and 1ᵇ = 1 even for NaN, (-1)^±Infinity = 1, where JavaScript has
 * NaN for the last two. `square`, `sqrt` and `reciprocal` are several times faster than exponents of 2, 0.5 and -1.
 *
 * @param a the base: any shape that broadcasts with the other, or a number
 * @param b the exponent, likewise
 * @returns the shape that both broadcast to. The gradient by the base is b aᵇ⁻¹, and 0 at b = 0 whatever a is; that by the
 * exponent is aᵇ ln a, 0 at a = 0 for b >= 0, and NaN for negative bases
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.pow(t.tensor([2, -3, 4]), t.tensor([10, 3, -0.5])).toArray() // => [1024, -27, 0.5]
 */
export function pow(a: Operand, b: Operand): Tensor {
  return applyBinary(powOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: powOperation,
    sample: binarySample(pow),
    domains: [
      { low: 0.2, high: 3 },
      { low: -3, high: 3 },
    ],
    ulps: 1,
    errors: binaryErrors('pow', pow),
  },
]
