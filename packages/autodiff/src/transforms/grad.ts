import type { Tensor } from '../tensor.ts'
import { inScope, type Replaced } from '../tree.ts'
import { type Differentiable, valueAndGrad } from './value-and-grad.ts'

/**
 * A function that returns the gradients of `f` with respect to its first argument: a tree of any structure, and gradients
 * of the same. It can be differentiated again.
 *
 * @param f returns a tensor of one element
 * @throws RangeError when the value has more than one element
 * @example
 * const cube = (x: t.Tensor) => t.mul(x, t.mul(x, x))
 * t.grad(cube)(t.tensor(2)).item() // => 12
 * t.grad(t.grad(cube))(t.tensor(2)).item() // => 12
 * t.grad(t.grad(t.grad(cube)))(t.tensor(2)).item() // => 6
 */
export function grad<P, A extends readonly unknown[]>(
  f: (inputs: P, ...rest: A) => Differentiable,
): (inputs: P, ...rest: A) => Replaced<P, Tensor> {
  const both = valueAndGrad(f)
  return (inputs, ...rest) => inScope(() => both(inputs, ...rest).gradients)
}
