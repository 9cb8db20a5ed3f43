import { failRange, leaves, sameShape, showShape, type Tree } from '@tapeflow/autodiff'
import { type OperationInfo, referenceValues, type Values } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { withinUlps } from '../within-ulps.ts'

/** How far kernels may be from the reference: an operation's `info` is one of these. */
export type KernelOptions = Partial<Pick<OperationInfo, 'ulps' | 'scale'>>

/**
 * The law that kernels compute what references specify: float32 results equal those of the recorded program in float64,
 * rounded, or are within `ulps` units in the last place of them. NaN, infinities and the sign of zero count.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options.ulps units in the last place; 4 by default
 * @param options.scale what errors are relative to, where terms cancel: `(inputs, output, magnitudes) => …`, with the
 * reference's output, and what it gives on the inputs' absolute values; -Infinity where nothing is to be compared
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(kernelMatchesReference(t.exp, tensors({ shape: [5] }), { ulps: 2 }), { numRuns: 10 })
 */
export function kernelMatchesReference<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: KernelOptions = {},
): Law<S> {
  return holds(arbitrary, (inputs) => assertKernelMatchesReference(f, inputs, options), {
    name: 'assertKernelMatchesReference',
    f,
    options,
  })
}

/**
 * Asserts at one point what `kernelMatchesReference` states for all.
 *
 * @throws RangeError that names the place, the result and the reference
 * @example
 * assertKernelMatchesReference(t.sqrt, t.tensor([-1, -0, 0, 2, Infinity]), { ulps: 0 })
 */
export function assertKernelMatchesReference<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: KernelOptions = {},
): void {
  const { ulps = 4, scale } = options
  const numbers = leaves(inputs).map((x): Values => ({ shape: x.shape, values: x.toFloat32Array() }))
  const expected = referenceValues(f, inputs)
  const at = (change: (x: number) => number): readonly Values[] =>
    scale === undefined
      ? expected
      : referenceValues(
          f,
          inputs,
          numbers.map((x) => ({ shape: x.shape, values: Float64Array.from(x.values, change) })),
        )
  const magnitudes = at(Math.abs)
  const finite = at(finiteMagnitude)
  const total = numbers.reduce(
    (sum, x) => Array.from(x.values, finiteMagnitude).reduce((a, b) => a + b, sum),
    0,
  )
  for (const [i, output] of leaves(f(inputs)).entries()) {
    const { shape, values } = expected[i]!
    if (!sameShape(shape, output.shape)) {
      failRange(
        'kernelMatchesReference',
        `output ${i} has shape ${showShape(output.shape)}, its reference ${showShape(shape)}`,
      )
    }
    const scales = scale?.(numbers, values, magnitudes[i]!.values)
    for (const [j, actual] of output.toFloat32Array().entries()) {
      const own = typeof scales === 'object' ? scales[j]! : scales
      // Where the sum of finite magnitudes overflows float32, so may what is added up on the way, as in a mean.
      const most = Math.fround(Math.max(total, finite[i]!.values[j]!))
      const overflows = scale !== undefined && most === Number.POSITIVE_INFINITY
      if (own === Number.NEGATIVE_INFINITY || (overflows && !Number.isNaN(values[j]!))) continue
      if (withinUlps(actual, values[j]!, ulps, own)) continue
      failRange(
        'kernelMatchesReference',
        `place ${j} of output ${i}, shape ${showShape(shape)}, is ${text(actual)}, the reference ${text(values[j]!)}: not within ${ulps} ulp${own === undefined ? '' : ` of ${own}`}`,
      )
    }
  }
}

const text = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

const finiteMagnitude = (x: number): number => (Number.isFinite(x) ? Math.abs(x) : 0)
