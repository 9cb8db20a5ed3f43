import { leaves, type Tensor, type Tree, vjp } from '@tapeflow/autodiff'
import { type CheckGradientOptions, checkGradient, type GradientCheck } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'
import { judge, judgeOfMany } from './gradient-is-correct.ts'

/**
 * The law that gradients of gradients are right: the vector-Jacobian product of `f`, as a function of the inputs and of
 * the cotangent, has a correct gradient itself.
 *
 * Where the first derivative has a kink the second is not defined: name it in the domain.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options as for `checkGradient`: tolerance 1e-3, step 1e-5, limit none, fast false, fixed none, kinks 'skip'
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(secondOrderIsCorrect(t.sigmoid, tensors({ shape: [2] })), { numRuns: 5 })
 */
export function secondOrderIsCorrect<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: CheckGradientOptions = {},
): Law<S> {
  const judged = judgeOfMany()
  const assertion = { name: 'assertSecondOrderIsCorrect', f, options }
  return holds(arbitrary, (inputs) => checkSecondOrder(f, inputs, options, judged), assertion)
}

/**
 * Asserts at one point what `secondOrderIsCorrect` states for all. In the error, inputs of `f` are named `inputs.…` and
 * cotangents `cotangent.…`.
 *
 * @throws RangeError that names the input, the place, and both derivatives
 * @example
 * assertSecondOrderIsCorrect(t.exp, t.tensor([0, 1]))
 */
export function assertSecondOrderIsCorrect<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): void {
  checkSecondOrder(f, inputs, options, judge)
}

function checkSecondOrder<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions,
  judged: (found: GradientCheck) => void,
): void {
  if (leaves(inputs).length === 0) return
  const cotangent = randomLike(f(inputs), 1)
  const pullBack = (at: { inputs: P; cotangent: readonly Tensor[] }): Tensor[] =>
    leaves(vjp((p: P): readonly Tensor[] => leaves(f(p)), at.inputs, at.cotangent).gradients)
  const fixed = options.fixed?.map((path) => (path === '' ? 'inputs' : `inputs.${path}`))
  const own = fixed === undefined ? options : { ...options, fixed }
  judged(checkGradient(pullBack, { inputs, cotangent }, own))
}
