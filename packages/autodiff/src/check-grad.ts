import { valuesOf } from './apply.ts'
import { referenceValues } from './evaluate-reference.ts'
import { failRange, failType, kindOf } from './fail.ts'
import { foldIn, key } from './key.ts'
import type { Values } from './operation.ts'
import { normalValues, permutationValues } from './random-bits.ts'
import { type Shape, sizeOf } from './shape.ts'
import { fromValues } from './tensor.ts'
import { vjp } from './transforms/vjp.ts'
import { inScope, leaves, paths, type Tree } from './tree.ts'

/** How a gradient is checked. */
export interface CheckGradientOptions {
  /** The largest error allowed; 1e-3 by default. */
  readonly tolerance?: number
  /** The step of the central difference, relative to the input or to 1; 1e-5 by default: all is evaluated in float64. */
  readonly step?: number
  /** Checks at most so many elements of each tensor: the first, the last, and others drawn by a fixed key. All by default. */
  readonly limit?: number
}

/** Where the gradient was furthest from the difference quotient. */
export interface WorstError {
  /** The path of the input tensor, '' where the input is one tensor. */
  readonly input: string
  /** The place in it, in row-major order. */
  readonly index: number
  readonly analytic: number
  readonly numeric: number
}

/** What `checkGradient` found. */
export interface GradientCheck {
  readonly ok: boolean
  /** Infinity where an error is NaN. */
  readonly maxError: number
  /** null where the inputs hold no numbers. */
  readonly worst: WorstError | null
}

/**
 * Smaller derivatives than this are compared absolutely: float32 gradients that cancel to 0 keep some dust. More of it where
 * many results depend on each number of the input, and add up.
 */
const smallest = (results: number, size: number): number => 1e-2 * Math.sqrt(Math.max(1, results / size))

/**
 * Whether the gradients of `f` at `inputs` are right: compared with central differences of the recorded program,
 * evaluated in float64 by the operations' references and recorded anew at each perturbed point.
 *
 * An error is |analytic - numeric| / s, where s is the largest numeric derivative of that input tensor, and at least 0.01, times
 * the root of how many results there are for each of its numbers.
 * What `f` returns may be any tree of tensors: it is projected on fixed random numbers.
 *
 * @param f a function of one tree, made of operations; give it a fixed key if it draws random numbers
 * @param inputs where to check; stay away from kinks
 * @param options.tolerance the largest error allowed, 1e-3 by default
 * @param options.step of the difference, relative to the input or to 1; 1e-5 by default
 * @param options.limit how many elements of each tensor are checked, all by default
 * @returns `{ ok, maxError, worst: { input, index, analytic, numeric } }`
 * @throws RangeError when an option is not positive; TypeError when `f` returns no tensor
 * @example
 * const { ok } = checkGradient((x) => t.tanh(t.mul(x, x)), t.tensor([0.5, -1]))
 * ok // => true
 */
export function checkGradient<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): GradientCheck {
  const { tolerance = 1e-3, step = 1e-5, limit = Number.POSITIVE_INFINITY } = options
  for (const [name, value] of Object.entries({ tolerance, step, limit })) {
    if (!(value > 0)) failRange('checkGradient', `${name} must be above 0, got ${value}`)
  }
  return inScope(() => {
    const start = leaves(inputs).map(valuesOf)
    const names = paths(inputs)
    const { gradients, results } = analyticGradients(f, inputs)
    const projected = (at: readonly Values[]): number => projection(referenceValues(f, inputs, at))
    let maxError = -1
    let worst: WorstError | null = null
    for (const [leaf, { values }] of start.entries()) {
      const places = chosen(values.length, limit)
      const numeric = places.map((index) => {
        const h = step * Math.max(1, Math.abs(values[index]!))
        return (
          (projected(nudged(start, leaf, index, h)) - projected(nudged(start, leaf, index, -h))) / (2 * h)
        )
      })
      const scale = numeric.reduce(
        (most, value) => Math.max(most, Math.abs(value)),
        smallest(results, values.length),
      )
      for (const [i, index] of places.entries()) {
        const analytic = gradients[leaf]![index]!
        const relative = Math.abs(analytic - numeric[i]!) / scale
        // A NaN is the worst there can be, and must not pass for small.
        const error = Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative
        if (error <= maxError) continue
        maxError = error
        worst = { input: names[leaf]!, index, analytic, numeric: numeric[i]! }
      }
    }
    return { ok: maxError <= tolerance, maxError: Math.max(0, maxError), worst }
  })
}

function chosen(size: number, limit: number): number[] {
  const all = Array.from({ length: size }, (_, i) => i)
  if (size <= limit) return all
  const inner = Array.from(permutationValues(key(size), size)).filter((i) => i !== 0 && i !== size - 1)
  return [size - 1, 0, ...inner].slice(0, Math.ceil(limit))
}

function nudged(start: readonly Values[], leaf: number, index: number, by: number): Values[] {
  return start.map((x, i) => {
    if (i !== leaf) return x
    const values = Float64Array.from(x.values)
    values[index]! += by
    return { shape: x.shape, values }
  })
}

const weights = (output: number, size: number): Float32Array => normalValues(foldIn(key(0), output), size)

function projection(outputs: readonly Values[]): number {
  let sum = 0
  for (const [i, { values }] of outputs.entries()) {
    const by = weights(i, values.length)
    for (let j = 0; j < values.length; j++) sum += by[j]! * values[j]!
  }
  return sum
}

function analyticGradients<P>(
  f: (inputs: P) => Tree,
  inputs: P,
): { gradients: readonly Float32Array[]; results: number } {
  // The shapes of the outputs are known once f has run: the cotangent is made from a first run.
  const outputs = inScope((): Shape[] => {
    const returned = f(inputs)
    const shapes = leaves(returned).map((x) => x.shape)
    if (shapes.length === 0)
      failType('checkGradient', `the function must return tensors, got ${kindOf(returned)}`)
    return shapes
  })
  const cotangents = outputs.map((shape, i) => fromValues(weights(i, sizeOf(shape)), shape))
  const { gradients } = vjp((p: P) => leaves(f(p)), inputs, cotangents)
  return {
    gradients: leaves(gradients).map((x) => x.toFloat32Array()),
    results: cotangents.reduce((sum, { size }) => sum + size, 0),
  }
}
