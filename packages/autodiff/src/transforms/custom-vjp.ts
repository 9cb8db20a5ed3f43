import { applyKeyed } from '../compile/keyed.ts'
import { zeros } from '../creation.ts'
import { added, unpacked } from '../fused.ts'
import { Key } from '../key.ts'
import { defineOperation, type Operation } from '../operation.ts'
import { concat } from '../ops/concat.ts'
import { reshape } from '../ops/reshape.ts'
import { stopGradient } from '../ops/stop-gradient.ts'
import type { Shape } from '../shape.ts'
import { knownUnder } from '../tape.ts'
import { alias, isTensor, type Tensor } from '../tensor.ts'
import { inScope, leaves, mapTree, replaceTensors, type Tree, visitLeaves } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'
import { tensorsLike, type WithGaps } from './matching.ts'

/** What ties a value to the inputs that it has gradients for. */
export interface CustomVjp {
  /** The cotangents of the inputs from those of the values, on flat lists. */
  readonly rule: (
    cotangents: readonly Tensor[],
    values: readonly Tensor[],
    inputs: readonly Tensor[],
    keys: readonly Key[],
  ) => readonly (Tensor | null)[]
  /** The shapes of the values. They lie one behind the other in the output where there are several. */
  readonly shapes: readonly Shape[]
  /** The keys among the inputs. */
  readonly keys: readonly Key[]
}

/** Its first input, the value, as the others have gradients for it; the rule says which. */
export const customVjpOperation: Operation<CustomVjp, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  CustomVjp,
  readonly Tensor[]
>({
  name: 'customVjp',
  doc: 'a value that was computed already, with a rule for its gradients',
  shape: ([value]) => value!.shape,
  reference: ([value]) => value!.values,
  alias: () => 0,
  vjp: [],
  pull: (cotangents, output, [, ...inputs], { rule, shapes, keys }, wanted, before) => {
    const found = inScope(() => {
      const given = shapes.map((shape, i) => cotangents[i] ?? zeros(shape))
      return rule(given, unpacked(output, shapes), inputs, keys)
    })
    return added(
      before,
      wanted.map((isWanted, i) => (isWanted && i > 0 ? (found[i - 1] ?? undefined) : undefined)),
    )
  },
})

/**
 * The function `f` with gradients that `rule` says, in the place of those of its operations: for what is not differentiable, or has a
 * better formula. The values are those of `f`, and nothing that it makes on the way is kept for gradients.
 *
 * Gradients of gradients are those of the rule: write it with operations. What `f` uses beside its inputs gets no
 * gradient, so pass what is to have one; the rule, too, is to use what it is given, and constants. `gradientIsCorrect` of
 * `@tapeflow/property-tests`, or `checkGradient`, tells whether a rule is right.
 *
 * @param f a function of one tree that returns a tree of tensors
 * @param rule the gradients of the inputs, a tree like them and of the same shapes, with null where there is none, from the
 * cotangent of the value (zeros where nothing depends on it), the value, and the inputs. Leaves that are no tensors stay as they are
 * @returns a function like `f`: of the same inputs, with values of the same shapes
 * @throws RangeError or TypeError where what the rule returns has another structure or shape than the inputs: names the path
 * @example
 * // Straight through: rounded on the way there, on the way back as if it were not.
 * const rounded = t.customVjp((x: t.Tensor) => t.round(x), (cotangent) => cotangent)
 * rounded(t.tensor([0.2, 1.7])).toArray() // => [0, 2]
 * t.grad((x: t.Tensor) => t.sum(t.square(rounded(x))))(t.tensor([0.2, 1.7])).toArray() // => [0, 4]
 *
 * Bengio, Léonard & Courville 2013, Estimating or propagating gradients through stochastic neurons.
 */
export function customVjp<P, V extends Tree>(
  f: (inputs: P) => V,
  rule: (cotangent: V, value: V, inputs: P) => WithGaps<P>,
): (inputs: P) => V {
  checkFunction('customVjp', f)
  checkFunction('customVjp', rule)
  return (inputs) =>
    inScope(() => {
      const value = f(replaceTensors<unknown>(inputs, stopGradient) as P)
      refuseAsynchronous('customVjp', value)
      const [given, results] = [leaves(inputs), leaves(value)]
      if (results.length === 0 || !given.some(isTraced)) return value
      const keys: Key[] = []
      visitLeaves(inputs, (leaf) => {
        if (leaf instanceof Key) keys.push(leaf)
      })
      const attributes: CustomVjp = {
        rule: (cotangents, values, tensors, others) => {
          const returned = rule(
            filled(value, cotangents) as V,
            filled(value, values) as V,
            filled(inputs, tensors, others) as P,
          )
          refuseAsynchronous('customVjp', returned)
          return tensorsLike('customVjp', 'gradient', inputs, returned).map((x) => x && settled(x))
        },
        shapes: results.map(({ shape }) => shape),
        keys,
      }
      const packed = results.length === 1 ? results[0]! : concat(results.map((x) => reshape(x, [x.size])))
      const tied = applyKeyed(customVjpOperation, [packed, ...given], attributes)
      return filled(value, unpacked(tied, attributes.shapes)) as V
    })
}

function isTraced(x: Tensor): boolean {
  return knownUnder(x, Number.POSITIVE_INFINITY) !== null
}

// What a rule was given stands on a tape that is closed: as itself it would keep that.
function settled(x: Tensor): Tensor {
  return x.tape === null || x.tape.open ? x : alias('customVjp', x)
}

/** A tree of the structure of `tree` with other tensors, and other keys, if there are some. */
function filled(tree: unknown, tensors: readonly Tensor[], keys?: readonly Key[]): unknown {
  let [tensor, key] = [0, 0]
  return mapTree<unknown>(tree, (leaf) => {
    if (isTensor(leaf)) return tensors[tensor++]
    return keys !== undefined && leaf instanceof Key ? keys[key++] : leaf
  })
}
