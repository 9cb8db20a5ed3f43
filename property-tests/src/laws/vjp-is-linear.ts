import { add, failRange, leaves, mul, type Tensor, type Tree, vjp } from '@tapeflow/autodiff'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/**
 * The law that a vector-Jacobian product is linear in its cotangent: vjp(2a - b/2) = 2 vjp(a) - vjp(b)/2, within rounding
 * errors of 1e-3 of the largest term, and of what is left where terms of the size of the inputs cancel. A rule that squares its cotangent, adds a constant or reads a state breaks it.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @returns a property for `fc.assert`
 * @example
 * const pair = fc.record({ a: tensors({ shape: [2] }), b: tensors({ shape: [1], domain: { low: 1, high: 2 } }) })
 * fc.assert(vjpIsLinear(({ a, b }) => t.div(a, b), pair), { numRuns: 5 })
 */
export function vjpIsLinear<S>(f: (inputs: Inputs<S>) => Tree, arbitrary: fc.Arbitrary<S>): Law<S> {
  return holds(arbitrary, (inputs) => assertVjpIsLinear(f, inputs), { name: 'assertVjpIsLinear', f })
}

/**
 * Asserts at one point what `vjpIsLinear` states for all.
 *
 * @throws RangeError that names the input, the place, and both sides of the equation
 * @example
 * assertVjpIsLinear(t.square, t.tensor([0, 1]))
 */
export function assertVjpIsLinear<P>(f: (inputs: P) => Tree, inputs: P): void {
  const outputs = leaves(f(inputs))
  const a = randomLike(outputs, 1)
  const b = randomLike(outputs, 2)
  const mixed = a.map((x, i) => add(mul(x, 2), mul(b[i]!, -0.5)))
  const pulled = (cotangent: readonly Tensor[]): Float32Array[] =>
    leaves(vjp((p: P): readonly Tensor[] => leaves(f(p)), inputs, cotangent).gradients).map((x) =>
      x.toFloat32Array(),
    )
  const [left, ofA, ofB] = [pulled(mixed), pulled(a), pulled(b)]
  const largestOf = (values: Float32Array): number =>
    values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const sizes = leaves(inputs).map((x) => largestOf(x.toFloat32Array()))
  // Cotangents are 1.5 at most: what they are multiplied with is rounded where it is as large as the inputs.
  const dust = 2 ** -21 * Math.max(1, ...sizes.filter(Number.isFinite))
  for (const [i, values] of left.entries()) {
    const right = values.map((_, j) => 2 * ofA[i]![j]! - 0.5 * ofB[i]![j]!)
    const allowed = 1e-3 * Math.max(largestOf(ofA[i]!), largestOf(ofB[i]!)) + dust
    const place = values.findIndex((x, j) => !(Math.abs(x - right[j]!) <= allowed))
    if (place < 0) continue
    failRange(
      'vjpIsLinear',
      `at place ${place} of input ${i} vjp(2a - b/2) is ${values[place]}, 2 vjp(a) - vjp(b)/2 is ${right[place]}`,
      'a vjp multiplies its cotangent, and nothing else',
    )
  }
}
