import { applyBinary, binary, type None } from './elementwise.ts'
import * as e from './kernels/expression.ts'
import type { Operation } from './operation.ts'
import { greater } from './ops/greater.ts'
import { maximum } from './ops/maximum.ts'
import { mul } from './ops/mul.ts'
import { neg } from './ops/neg.ts'
import { where } from './ops/where.ts'
import type { Tensor } from './tensor.ts'

/**
 * Declares g f'(x), the gradient of an elementwise f, as an operation: the backward pass of an activation is one loop then,
 * where its formula written with operations is up to ten.
 *
 * @param declared.reference f' in float64
 * @param declared.expression g f' in lanes
 * @param declared.second f'' of a tensor, written with operations
 */
export function gradientOf(declared: {
  name: string
  doc: string
  reference: (x: number) => number
  expression: (g: e.Value, x: e.Value) => e.Value
  second: (x: Tensor) => Tensor
}): Operation<None, [Tensor, Tensor]> {
  const { name, doc, reference, expression, second } = declared
  const operation: Operation<None, [Tensor, Tensor]> = binary({
    name,
    doc,
    reference: (g, x) => g * reference(x),
    expression,
    vjp: [
      (cotangent, _, _g, x) => applyBinary(operation, cotangent, x),
      (cotangent, _, g, x) => mul(mul(cotangent, g), second(x)),
    ],
  })
  return operation
}

/**
 * Declares the gradient of a function that is a line of slope `slope` between two bounds and constant beyond: g times the slope
 * where low < x < high, else 0, at both kinks and for NaN too.
 */
export function gradientBetween(declared: {
  name: string
  low: number
  high: number
  slope: number
}): Operation<None, [Tensor, Tensor]> {
  const { name, low, high, slope } = declared
  const operation: Operation<None, [Tensor, Tensor]> = binary({
    name,
    doc: `${slope === 1 ? 'g' : 'g / 6'} where ${low} < x < ${high}, else 0`,
    reference: (g, x) => (low < x && x < high ? g * slope : 0),
    expression: (g, x) => {
      const inside = e.and(e.greater(x, e.constant(low)), e.less(x, e.constant(high)))
      return e.select(inside, slope === 1 ? g : e.mul(g, e.constant(slope)), e.constant(0))
    },
    vjp: [(cotangent, _, _g, x) => applyBinary(operation, cotangent, x), null],
  })
  return operation
}

/** x held between -most and most: so far out second derivatives are 0, and 0 times infinity would not be. */
export function held(x: Tensor, most: number): Tensor {
  return neg(maximum(neg(maximum(x, -most)), -most))
}

/** x where it is negative, else 0; it passes no gradient from 0 upwards. */
export function negativePart(x: Tensor): Tensor {
  return where(greater(0, x), x, 0)
}
