import { eye, ones, zeros } from '../creation.ts'
import { reshape } from '../ops/reshape.ts'
import { broadcastTo } from '../ops/sum.ts'
import type { Tensor } from '../tensor.ts'
import { inScope, leaves, type Replaced, replaceTensors } from '../tree.ts'
import { backward } from './backward.ts'
import { checkFunction } from './functions.ts'
import { type Recorded, record } from './vjp.ts'
import { mapExamples } from './vmap/map-examples.ts'
import { ruleOf } from './vmap/rules.ts'

/**
 * A function that returns the Jacobian of `f` with respect to its first argument, any tree: for each tensor that `f` returns, of
 * shape `[...o]`, a tree like that argument, with a tensor `[...o, ...i]` for each of shape `[...i]`. Element `[a, b]` is the derivative of
 * element a of the result by element b of the input. It can be differentiated again.
 *
 * In reverse mode: `f` is run once, and pulled back for all elements of a result at once, which takes the memory of as many
 * backward passes. `jvp` gives a single column, `vjp` a single row, of any size.
 *
 * @param f returns a tree of tensors of any shapes
 * @example
 * const f = (x: t.Tensor) => t.mul(x, t.sum(x))
 * t.jacobian(f)(t.tensor([1, 2])).toArray() // => [[4, 1], [2, 5]]
 * const loss = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor) => t.add(t.matmul(x, p.w), p.b)
 * const { w, b } = t.jacobian(loss)({ w: t.zeros([2, 3]), b: t.zeros([3]) }, t.tensor([5, 6]))
 * w.shape // => [3, 2, 3]
 * b.toArray() // => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
 */
export function jacobian<P, A extends readonly unknown[], V>(
  f: (inputs: P, ...rest: A) => V,
): (inputs: P, ...rest: A) => Replaced<V, Replaced<P, Tensor>> {
  checkFunction('jacobian', f)
  return (inputs, ...rest) =>
    inScope((scope) => {
      const recorded = record('jacobian', scope, (traced: P) => f(traced, ...rest), inputs)
      return replaceTensors(recorded.returned, (y) => derivativesOf(y, recorded))
    })
}

/** The derivatives of all elements of `y`, in a tree like the inputs. */
function derivativesOf<P>(y: Tensor, { tape, traced }: Recorded<P, unknown>): Replaced<P, Tensor> {
  const inputs = leaves(traced)
  const found = inScope((scope): readonly (Tensor | undefined)[] => {
    const { size, shape } = y
    if (size === 0) return []
    const pullBack = (cotangent: Tensor): readonly (Tensor | undefined)[] => {
      const cotangents = backward(tape, [y], [cotangent])
      return inputs.map(({ slot }) => cotangents[slot])
    }
    // One element has one row: there is nothing to map over.
    if (size === 1) return pullBack(ones(shape))
    const rows = { size, inputs: [reshape(eye(size), [size, ...shape])], keys: [] }
    const run = mapExamples('jacobian', scope, ([row]) => pullBack(row!), leavesOf, rows, ruleOf)
    return run.returned.map((x) => x && (run.valueOf(x) ?? broadcastTo(x, [size, ...x.shape])))
  })
  let next = 0
  return replaceTensors(traced, (x) => {
    const derivative = found[next++]
    const shape = [...y.shape, ...x.shape]
    return derivative === undefined ? zeros(shape) : reshape(derivative, shape)
  })
}

const leavesOf = (found: readonly (Tensor | undefined)[]): readonly Tensor[] =>
  found.filter((x) => x !== undefined)
