import type { Operand } from '../apply.ts'
import { applyBinary, binary } from '../elementwise.ts'
import { binaryErrors, binarySample, ordinary } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

/** a - b, but 0 where both are the same infinity. */
const difference = (a: number, b: number): number => (a === b ? 0 : a - b)
const differenceLanes = (a: e.Value, b: e.Value): e.Value =>
  e.select(e.equal(a, b), e.constant(0), e.sub(a, b))

export const logAddExpOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'logAddExp',
  doc: 'ln(exp(a) + exp(b))',
  reference: (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(difference(a, b)))),
  expression: (a, b) => e.add(e.maximum(a, b), e.log1pOfUnit(e.exp(e.neg(e.abs(differenceLanes(a, b)))))),
  vjp: [(g, _, a, b) => mul(g, logAddExpShare(a, b)), (g, _, a, b) => mul(g, logAddExpShare(b, a))],
})

/**
 * ln(eᵃ + eᵇ), element by element, without overflow: the sum of two probabilities given as logarithms. Within 4 ulp of the
 * largest of |a|, |b| and ln 2: where the result is near 0, terms cancel. Gradients are the two shares of the sum, 1/2 each where
 * both are the same infinity.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.logAddExp(t.tensor([1000, -Infinity]), t.tensor([-1000, -Infinity])).toArray() // => [1000, -Infinity]
 */
export function logAddExp(a: Operand, b: Operand): Tensor {
  return applyBinary(logAddExpOperation, a, b)
}

export const logAddExpShareOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'logAddExpShare',
  doc: 'exp(a) / (exp(a) + exp(b))',
  reference: (a, b) => 1 / (1 + Math.exp(-difference(a, b))),
  expression: (a, b) => e.sigmoid(differenceLanes(a, b)),
  vjp: [
    (g, y, a, b) => mul(g, mul(y, logAddExpShare(b, a))),
    (g, y, a, b) => neg(mul(g, mul(y, logAddExpShare(b, a)))),
  ],
})

/**
 * The share of the first in eᵃ + eᵇ, element by element: the sigmoid of a - b, and 1/2 where both are the same infinity. It is
 * the derivative of `logAddExp` by a.
 *
 * @param a any shape that broadcasts with the other, or a number
 * @param b likewise
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.logAddExpShare(t.tensor([0, Infinity]), t.tensor([0, 1])).toArray() // => [0.5, 1]
 */
export function logAddExpShare(a: Operand, b: Operand): Tensor {
  return applyBinary(logAddExpShareOperation, a, b)
}

export const info: readonly OperationInfo[] = [
  {
    operation: logAddExpOperation,
    sample: binarySample(logAddExp),
    domains: [ordinary],
    ulps: 4,
    scale: (_, _y, magnitudes) => magnitudes,
    errors: binaryErrors('logAddExp', logAddExp),
  },
  {
    operation: logAddExpShareOperation,
    sample: binarySample(logAddExpShare),
    domains: [ordinary],
    // The difference of two numbers up to 3 is rounded first, and its rounding error is one of the result's exponent.
    ulps: 6,
    errors: binaryErrors('logAddExpShare', logAddExpShare),
  },
]
