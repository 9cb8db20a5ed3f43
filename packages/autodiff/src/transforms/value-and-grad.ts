import { failRange, failType, kindOf } from '../fail.ts'
import { showShape } from '../shape.ts'
import { fromValues, Tensor } from '../tensor.ts'
import { inScope, type Replaced } from '../tree.ts'
import { checkFunction } from './functions.ts'
import { pullBack, record, settle } from './vjp.ts'

/** What a function to be differentiated returns: its value, or that with something to hand out beside it. */
export type Differentiable<X = unknown> = Tensor | { readonly value: Tensor; readonly aux: X }

/** A function's value, the gradients of its first argument, and what it handed out beside. */
export interface ValueAndGradients<P, R> {
  readonly value: Tensor
  readonly gradients: Replaced<P, Tensor>
  readonly aux: R extends { readonly aux: infer X } ? X : undefined
}

/**
 * A function that returns the value of `f` and its gradients with respect to the first argument: a tree of any
 * structure, and gradients of the same. They can be differentiated again.
 *
 * @param f returns a tensor of one element, or `{ value, aux }` to hand out a tree beside it
 * @throws RangeError when the value has more than one element
 * @example
 * const f = t.valueAndGrad((p: { w: t.Tensor }, x: number) => t.sum(t.mul(t.square(p.w), x)))
 * const { value, gradients } = f({ w: t.tensor([1, 2]) }, 3)
 * value.item() // => 15
 * gradients.w.toArray() // => [6, 12]
 */
export function valueAndGrad<P, A extends readonly unknown[], R extends Differentiable>(
  f: (inputs: P, ...rest: A) => R,
): (inputs: P, ...rest: A) => ValueAndGradients<P, R> {
  checkFunction('grad', f)
  return (inputs, ...rest) =>
    inScope((scope) => {
      const recorded = record('grad', scope, (traced: P) => f(traced, ...rest), inputs)
      const { value, aux } = outcome(recorded.returned)
      const gradients = pullBack(recorded, [value], [fromValues(one, value.shape)])
      const settled = settle(value, scope)
      // Left out where there is none: what is returned is a tree.
      const result =
        aux === undefined
          ? { value: settled, gradients }
          : { value: settled, gradients, aux: settle(aux, scope) }
      return result as ValueAndGradients<P, R>
    })
}

const one = [1]

function outcome(returned: unknown): { value: Tensor; aux: unknown } {
  const pair = returned instanceof Tensor ? { value: returned, aux: undefined } : returned
  if (typeof pair !== 'object' || pair === null || !('value' in pair) || !(pair.value instanceof Tensor)) {
    failType(
      'grad',
      `the function must return a tensor of one element, got ${kindOf(returned)}`,
      'return a loss, or { value, aux }',
    )
  }
  const value = pair.value
  if (value.size !== 1) {
    failRange(
      'grad',
      `the function must return a tensor of one element, got shape ${showShape(value.shape)}`,
      'reduce it with mean or sum, or use vjp',
    )
  }
  return { value, aux: 'aux' in pair ? pair.aux : undefined }
}
