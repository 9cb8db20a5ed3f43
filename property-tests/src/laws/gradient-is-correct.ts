import { failRange, type Tree } from '@tapeflow/autodiff'
import { type CheckGradientOptions, checkGradient, type GradientCheck } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'

/**
 * The law that gradients are right: those of `f` equal central differences of its operations' float64 references, with
 * respect to every tensor of its input.
 *
 * `f` may return any tree of tensors, which is projected on fixed random numbers. Keys among the inputs, or in `f`, are the
 * same at every point, so that what is drawn is a constant. Integers, such as labels, are no variables: name them `fixed`.
 *
 * Elements at kinks are skipped; the law is broken where they are more than half of all that samples have, from 40 on. To
 * stay away from them, name them in the domain: `tensors({ domain: { low: -3, high: 3, kinks: [0] } })`.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options as for `checkGradient`: tolerance 1e-3, step 1e-5, limit none, fast false, fixed none, kinks 'skip'
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(gradientIsCorrect((x) => t.mul(t.tanh(x), x), tensors({ shape: [3] })), { numRuns: 10 })
 * // All elements at once.
 * fc.assert(gradientIsCorrect(t.tanh, tensors({ shape: [1000] }), { fast: true }), { numRuns: 2 })
 * // A gradient that flows through `a` alone is not that of a product.
 * const half = (x) => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))
 * fc.check(gradientIsCorrect(half, tensors({ shape: [2] }))).failed // => true
 */
export function gradientIsCorrect<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: CheckGradientOptions = {},
): Law<S> {
  const judge = judgeOfMany()
  const assertion = { name: 'assertGradientIsCorrect', f, options }
  return holds(arbitrary, (inputs) => judge(checkGradient(f, inputs, options)), assertion)
}

/**
 * Asserts at one point what `gradientIsCorrect` states for all.
 *
 * @throws RangeError that names the input, the place, and both derivatives, or says that there are kinks everywhere
 * @example
 * assertGradientIsCorrect(t.exp, t.tensor([0, 1]))
 */
export function assertGradientIsCorrect<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): void {
  judge(checkGradient(f, inputs, options))
}

/** Raises what is wrong at one point. */
export function judge({ ok, message }: GradientCheck): void {
  if (!ok) failRange('gradientIsCorrect', message, 'check the vjp, or keep samples away from kinks')
}

const enough = 40

/** Raises what is wrong with one of many samples: of some of them all elements may lie at kinks. */
export function judgeOfMany(): (found: GradientCheck) => void {
  let [compared, kinks] = [0, 0]
  return (found) => {
    compared += found.compared
    kinks += found.kinks
    if (found.kinks > 0 && kinks > compared && compared + kinks >= enough) {
      failRange(
        'gradientIsCorrect',
        `${kinks} of ${compared + kinks} places of the samples lie at kinks, and cannot be compared`,
        'name the kinks in the domain of the samples',
      )
    }
    if (found.compared > 0 || found.kinks === 0) judge(found)
  }
}
