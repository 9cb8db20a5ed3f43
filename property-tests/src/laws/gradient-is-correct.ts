import { failRange, type Tree } from '@tapeflow/autodiff'
import { type CheckGradientOptions, checkGradient } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'

/**
 * The law that gradients are right: those of `f` equal central differences of its operations' float64 references, with
 * respect to every tensor of its input.
 *
 * `f` may return any tree of tensors, which is projected on fixed random numbers. Stay away from kinks, where `f` has no
 * derivative: `tensors({ domain: { low: -3, high: 3, kinks: [0] } })`.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options as for `checkGradient`: tolerance 1e-3, step 1e-5, limit none
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(gradientIsCorrect((x) => t.mul(t.tanh(x), x), tensors({ shape: [3] })), { numRuns: 10 })
 * // A gradient that flows through `a` alone is not that of a product.
 * const half = (x) => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))
 * fc.check(gradientIsCorrect(half, tensors({ shape: [2] }))).failed // => true
 */
export function gradientIsCorrect<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: CheckGradientOptions = {},
): Law<S> {
  return holds(arbitrary, (inputs) => assertGradientIsCorrect(f, inputs, options), {
    name: 'assertGradientIsCorrect',
    f,
    options,
  })
}

/**
 * Asserts at one point what `gradientIsCorrect` states for all.
 *
 * @throws RangeError that names the input, the place, and both derivatives
 * @example
 * assertGradientIsCorrect(t.exp, t.tensor([0, 1]))
 */
export function assertGradientIsCorrect<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): void {
  const { ok, maxError, worst } = checkGradient(f, inputs, options)
  if (ok || worst === null) return
  const { input, index, analytic, numeric } = worst
  failRange(
    'gradientIsCorrect',
    `the gradient at place ${index} of input '${input}' is ${analytic}, differences give ${numeric}: error ${maxError}`,
    'check the vjp, or keep samples away from kinks',
  )
}
