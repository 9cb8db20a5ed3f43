import {
  failRange,
  leaves,
  paths,
  sameShape,
  showShape,
  type Tensor,
  type Tree,
  vjp,
  zerosLike,
} from '@tapeflow/autodiff'
import type fc from 'fast-check'
import { differencesAlong, products, total } from '../along.ts'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/** What is held still. */
export interface AdjointOptions {
  /** Paths of inputs that are not differentiated by, such as labels, with all that lies below them; none by default. */
  readonly fixed?: readonly string[]
}

/**
 * The law that the vector-Jacobian product is the adjoint of the derivative: <g, f'(x) d> = <vjp(g), d> for a random
 * direction d, within 1e-4 of the sum of magnitudes on either side or 1e-6, and that each gradient has its input's shape.
 *
 * It costs two evaluations whatever the number of inputs is, and sees every element: the check for long inputs, where
 * `gradientIsCorrect` takes two for each.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options.fixed paths of inputs that are not differentiated by, none by default
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(adjointIsConsistent((x) => t.softmax(x), tensors({ shape: [10, 10] })), { numRuns: 5 })
 */
export function adjointIsConsistent<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: AdjointOptions = {},
): Law<S> {
  const assertion = { name: 'assertAdjointIsConsistent', f, options }
  return holds(arbitrary, (inputs) => assertAdjointIsConsistent(f, inputs, options), assertion)
}

/**
 * Asserts at one point what `adjointIsConsistent` states for all.
 *
 * @throws RangeError that names both sides of the equation, or the shape
 * @example
 * assertAdjointIsConsistent(t.square, t.ones([100]))
 */
export function assertAdjointIsConsistent<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: AdjointOptions = {},
): void {
  const { fixed = [] } = options
  const cotangent = randomLike(f(inputs), 3)
  const isFixed = paths(inputs).map((name) => fixed.some((path) => `${name}.`.startsWith(`${path}.`)))
  const direction = randomLike(inputs, 4).map((d, i) => (isFixed[i] === true ? zerosLike(d) : d))
  const { gradients } = vjp((p: P): readonly Tensor[] => leaves(f(p)), inputs, cotangent)
  const names = paths(inputs)
  const found = leaves(gradients)
  for (const [i, x] of leaves(inputs).entries()) {
    if (sameShape(found[i]!.shape, x.shape)) continue
    failRange(
      'adjointIsConsistent',
      `the gradient of input '${names[i]}' must have its shape ${showShape(x.shape)}, got ${showShape(found[i]!.shape)}`,
    )
  }
  const numbers = (tensors: readonly Tensor[]): readonly Float32Array[] =>
    tensors.map((x) => x.toFloat32Array())
  const left = products(numbers(cotangent), differencesAlong(f, inputs, direction, 1e-5))
  const right = products(numbers(found), numbers(direction))
  const [a, b] = [total(left), total(right)]
  const allowed = 1e-4 * Math.max(total(left.map(Math.abs)), total(right.map(Math.abs)), 1e-2)
  if (Math.abs(a - b) <= allowed) return
  failRange(
    'adjointIsConsistent',
    `<g, f'(x) d> is ${a}, <vjp(g), d> is ${b}`,
    'check the vjp, or keep samples away from kinks',
  )
}
