import type { Tensor } from '../tensor.ts'
import type { Replaced } from '../tree.ts'
import { checkFunction } from './functions.ts'
import { grad } from './grad.ts'
import { jacobian } from './jacobian.ts'
import type { Differentiable } from './value-and-grad.ts'

/**
 * A function that returns the second derivatives of `f`, a scalar, with respect to its first argument, any tree: for each tensor
 * of that, of shape `[...i]`, a tree like it with a tensor `[...i, ...j]` for each of shape `[...j]`. They are symmetric but for rounding. It
 * can be differentiated again.
 *
 * It is the Jacobian of the gradient: n elements take n backward passes through it, all at once. `hvp` multiplies with a vector
 * at the cost of one, whatever n is.
 *
 * @param f returns a tensor of one element
 * @throws RangeError when the value has more than one element
 * @example
 * const f = (x: t.Tensor) => t.prod(x)
 * t.hessian(f)(t.tensor([2, 3, 5])).toArray() // => [[0, 5, 3], [5, 0, 2], [3, 2, 0]]
 * const g = (p: { a: t.Tensor; b: t.Tensor }) => t.sum(t.mul(t.square(p.a), p.b))
 * const { a } = t.hessian(g)({ a: t.tensor([1, 2]), b: t.tensor(3) })
 * a.a.toArray() // => [[6, 0], [0, 6]]
 * a.b.toArray() // => [2, 4]
 */
export function hessian<P, A extends readonly unknown[]>(
  f: (inputs: P, ...rest: A) => Differentiable,
): (inputs: P, ...rest: A) => Replaced<P, Replaced<P, Tensor>> {
  checkFunction('hessian', f)
  const second: (inputs: P, ...rest: A) => unknown = jacobian(grad(f))
  // The gradient is a tree like the inputs.
  return (inputs, ...rest) => second(inputs, ...rest) as Replaced<P, Replaced<P, Tensor>>
}
