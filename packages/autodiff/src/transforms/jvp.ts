import { stopGradient } from '../ops/stop-gradient.ts'
import { Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { inScope, leaves, replaceTensors, type Tree } from '../tree.ts'
import { backward } from './backward.ts'
import { checkFunction } from './functions.ts'
import { tensorsLike, type WithGaps } from './matching.ts'
import { pullBack, record, settle } from './vjp.ts'

/** What `jvp` returns: the function's value, and how it changes along the tangents: a tree like it, of the same shapes. */
export type Pushforward<V> = { readonly value: V; readonly tangent: V }

/**
 * The value of `f` at `inputs`, and the Jacobian-vector product J · tangents: the derivative along a direction, in the
 * structure and shapes of the value. Leaves of the value that are no tensors stay as they are.
 *
 * It is the gradient of a gradient: what `vjp` gives is linear in its cotangent, and the derivative by that is J. A network takes
 * about six times as long as forward; compiled, what only the cotangent is needed for is left out, and it takes three times.
 *
 * @param f a function of one tree
 * @param inputs the tree
 * @param tangents a tree like `inputs`, of the same shapes, with null for tensors, or parts, that stay as they are. Those of
 * indices, as of all that has no gradient, have no effect
 * @returns `{ value, tangent }`; the tangent of what does not depend on the inputs is zeros
 * @throws RangeError or TypeError where the tangents' structure or shapes are not those of the inputs: names the path
 * @example
 * const { value, tangent } = t.jvp((x: t.Tensor) => t.mul(x, x), t.tensor([1, 2, 3]), t.tensor([1, 0, 10]))
 * value.toArray() // => [1, 4, 9]
 * tangent.toArray() // => [2, 0, 60]
 */
export function jvp<P, V extends Tree>(
  f: (inputs: P) => V,
  inputs: P,
  tangents: NoInfer<WithGaps<P>>,
): Pushforward<V> {
  checkFunction('jvp', f)
  return inScope((scope) => {
    const along = tensorsLike('jvp', 'tangent', inputs, tangents)
    const recorded = record('jvp', scope, f, inputs)
    const outputs = leaves(recorded.returned)
    const linear = new Tape(scope)
    // Whatever the cotangent is, the derivative by it is the same: the value has the shape, and takes no memory.
    const cotangents = outputs.map((y) => linear.input(stopGradient(y)))
    let found: readonly (Tensor | undefined)[]
    try {
      found = backward(recorded.tape, outputs, cotangents)
    } finally {
      linear.open = false
    }
    const pulled: Tensor[] = []
    const moving: Tensor[] = []
    for (const [i, x] of leaves(recorded.traced).entries()) {
      const [gradient, tangent] = [found[x.slot], along[i]]
      if (gradient === undefined || !tangent) continue
      pulled.push(gradient)
      moving.push(tangent)
    }
    const made = pullBack({ tape: linear, traced: cotangents }, pulled, moving)
    let next = 0
    const tangent: unknown = replaceTensors<unknown>(recorded.returned, () => made[next++]!)
    const result: unknown = { value: settle(recorded.returned, scope), tangent }
    return result as Pushforward<V>
  })
}
