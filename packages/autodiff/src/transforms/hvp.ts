import type { Tensor } from '../tensor.ts'
import { inScope, leaves, type Replaced } from '../tree.ts'
import { checkFunction } from './functions.ts'
import { tensorsLike, type WithGaps } from './matching.ts'
import { valueAndGrad } from './value-and-grad.ts'
import { pullBack, record, settle } from './vjp.ts'

/** What `hvp` returns: a value of one element, its gradients, and the products with the Hessian: trees like the inputs. */
export type HessianProduct<P> = {
  readonly value: Tensor
  readonly gradients: Replaced<P, Tensor>
  readonly products: Replaced<P, Tensor>
}

/**
 * The value of `f` at `inputs`, its gradients, and the Hessian-vector product H · vectors: how the gradients change along a
 * direction. Each is in the structure and shapes of the inputs; the Hessian itself is never made.
 *
 * It is the gradient of <gradient of f, vectors>: three to four times the time of the gradient, whatever the number of inputs is.
 *
 * @param f a function of one tree that returns a tensor of one element
 * @param inputs the tree
 * @param vectors a tree like `inputs`, of the same shapes, with null in the place of zeros
 * @throws RangeError or TypeError where the vectors' structure or shapes are not those of the inputs: names the path;
 * RangeError where the value has more than one element
 * @example
 * const cubes = (x: t.Tensor) => t.sum(t.mul(x, t.square(x)))
 * const { value, gradients, products } = t.hvp(cubes, t.tensor([1, 2]), t.tensor([1, 10]))
 * value.item() // => 9
 * gradients.toArray() // => [3, 12]
 * products.toArray() // => [6, 120]
 *
 * Pearlmutter 1994, Fast exact multiplication by the Hessian.
 */
export function hvp<P>(
  f: (inputs: P) => Tensor,
  inputs: P,
  vectors: NoInfer<WithGaps<P>>,
): HessianProduct<P> {
  checkFunction('hvp', f)
  return inScope((scope) => {
    const along = tensorsLike('hvp', 'vector', inputs, vectors)
    const both = valueAndGrad(f)
    const recorded = record('hvp', scope, (traced: P) => both(traced), inputs)
    const { value, gradients } = recorded.returned
    const moving = leaves(gradients).filter((_, i) => along[i] !== null)
    const products = pullBack(
      recorded,
      moving,
      along.filter((x) => x !== null),
    )
    return {
      ...(settle({ value, gradients }, scope) as { value: Tensor; gradients: Replaced<P, Tensor> }),
      products,
    }
  })
}
