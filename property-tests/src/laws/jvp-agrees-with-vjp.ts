import { failRange, jvp, leaves, mapTensors, type Tensor, type Tree, vjp } from '@tapeflow/autodiff'
import type { CheckGradientOptions } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { differencesAlong, products, total } from '../along.ts'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/** How tangents are compared with differences. */
export type JvpOptions = Pick<CheckGradientOptions, 'tolerance' | 'step'>

/**
 * The law that derivatives forward and backward are one: <v, J t> = <J' v, t> for a random cotangent v and a random tangent t,
 * within 1e-4 of the sum of magnitudes on either side or 1e-6; and that J t is the central difference of the operations' float64
 * references along t.
 *
 * `jvp` is made of the operations' vjps, twice. Where a vjp is wrong, both sides of the equation are wrong alike, and the
 * difference tells; where the vjp of a vjp is wrong in its cotangent, or is not linear there, the equation does.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options.tolerance the largest error of a tangent, relative to the largest of its tensor or 0.01; 1e-3 by default
 * @param options.step of the difference; 1e-5 by default
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(jvpAgreesWithVjp((x) => t.softmax(x), tensors({ shape: [2, 3] })), { numRuns: 5 })
 *
 * const forgetful = t.customVjp((x) => t.square(x), (g, _, x) => t.mul(g, x))
 * fc.check(jvpAgreesWithVjp((x) => forgetful(x), tensors({ shape: [2] }))).failed // => true
 */
export function jvpAgreesWithVjp<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: JvpOptions = {},
): Law<S> {
  const assertion = { name: 'assertJvpAgreesWithVjp', f, options }
  return holds(arbitrary, (inputs) => assertJvpAgreesWithVjp(f, inputs, options), assertion)
}

/**
 * Asserts at one point what `jvpAgreesWithVjp` states for all.
 *
 * @throws RangeError that names both sides of the equation, or the output, the place, and both tangents
 * @example
 * assertJvpAgreesWithVjp(t.exp, t.tensor([0, 1]))
 */
export function assertJvpAgreesWithVjp<P>(f: (inputs: P) => Tree, inputs: P, options: JvpOptions = {}): void {
  const { tolerance = 1e-3, step = 1e-5 } = options
  if (leaves(inputs).length === 0) return
  const along = randomLike(inputs, 4)
  let next = 0
  const tangents = mapTensors<unknown>(inputs, () => along[next++]!)
  const flat = (p: P): readonly Tensor[] => leaves(f(p))
  const { value, tangent } = jvp(flat, inputs, tangents as never)
  const cotangent = randomLike(value, 3)
  const { gradients } = vjp(flat, inputs, cotangent)
  const numbers = (tree: unknown): readonly Float32Array[] => leaves(tree).map((x) => x.toFloat32Array())
  const found = numbers(tangent)
  for (const [i, expected] of differencesAlong(f, inputs, along, step).entries()) {
    const allowed = tolerance * expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-2)
    const place = expected.findIndex((x, j) => !(Math.abs(x - found[i]![j]!) <= allowed))
    if (place < 0) continue
    failRange(
      'jvpAgreesWithVjp',
      `the tangent at place ${place} of output ${i} is ${found[i]![place]}, differences give ${expected[place]}`,
      'check the vjp, or keep samples away from kinks',
    )
  }
  const left = products(numbers(cotangent), found)
  const right = products(numbers(gradients), numbers(along))
  const [a, b] = [total(left), total(right)]
  const allowed = 1e-4 * Math.max(total(left.map(Math.abs)), total(right.map(Math.abs)), 1e-2)
  if (Math.abs(a - b) <= allowed) return
  failRange(
    'jvpAgreesWithVjp',
    `<v, J t> is ${a}, <J' v, t> is ${b}`,
    'check the vjp of the vjp: it must be linear in the cotangent',
  )
}
