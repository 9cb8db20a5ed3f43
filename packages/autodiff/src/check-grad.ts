import { valuesOf } from './apply.ts'
import { evaluateReference } from './evaluate-reference.ts'
import { failType, kindOf } from './fail.ts'
import { foldIn, key } from './key.ts'
import type { Values } from './operation.ts'
import { normalValues } from './random-bits.ts'
import { slotOn } from './tape.ts'
import { fromValues, type Tensor, tensor } from './tensor.ts'
import { record, vjp } from './transforms/vjp.ts'
import { inScope, leaves, mapTensors, paths, type Tree } from './tree.ts'

/** How a gradient is checked. */
export interface CheckGradientOptions {
  /** The largest error allowed, relative to the numeric derivative or to 1, whichever is larger; 1e-3 by default. */
  readonly tolerance?: number
  /** The step of the central difference, relative to the input or to 1; 1e-5 by default: all is evaluated in float64. */
  readonly step?: number
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
  readonly maxError: number
  /** null where the inputs hold no numbers. */
  readonly worst: WorstError | null
}

/**
 * Whether the gradients of `f` at `inputs` are right: compared with central differences of the recorded program,
 * evaluated in float64 by the operations' references and recorded anew at each perturbed point.
 *
 * What `f` returns may be any tree of tensors: it is projected on fixed random numbers.
 *
 * @param f a function of one tree, made of operations; give it a fixed key if it draws random numbers
 * @param inputs where to check; stay away from kinks
 * @example
 * const { ok } = checkGradient((x) => t.tanh(t.mul(x, x)), t.tensor([0.5, -1]))
 * ok // => true
 */
export function checkGradient<P extends Tree>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): GradientCheck {
  const { tolerance = 1e-3, step = 1e-5 } = options
  return inScope(() => {
    const start = leaves(inputs).map(valuesOf)
    const names = paths(inputs)
    const analytic = analyticGradients(f, inputs).map((x) => x.toFloat32Array())
    let maxError = 0
    let worst: WorstError | null = null
    for (const [leaf, { values }] of start.entries()) {
      for (let index = 0; index < values.length; index++) {
        const h = step * Math.max(1, Math.abs(values[index]!))
        const above = projectedValue(f, inputs, nudged(start, leaf, index, h))
        const below = projectedValue(f, inputs, nudged(start, leaf, index, -h))
        const numeric = (above - below) / (2 * h)
        const error = Math.abs(analytic[leaf]![index]! - numeric) / Math.max(1, Math.abs(numeric))
        if (worst !== null && error <= maxError) continue
        // A NaN is the worst there can be, and must not pass for small.
        maxError = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
        worst = { input: names[leaf]!, index, analytic: analytic[leaf]![index]!, numeric }
      }
    }
    return { ok: maxError <= tolerance, maxError, worst }
  })
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

function analyticGradients(f: (inputs: never) => Tree, inputs: unknown): Tensor[] {
  // The shapes of the outputs are known once f has run: the cotangent is made from a first run.
  const outputs = inScope(() => leaves(f(inputs as never)).map((x) => x.shape))
  const cotangents = outputs.map((shape, i) => {
    const size = shape.reduce((product, n) => product * n, 1)
    return fromValues(weights(i, size), shape)
  })
  return leaves(vjp<unknown, readonly Tensor[]>((p) => tensorsOf(f(p as never)), inputs, cotangents).gradients)
}

function tensorsOf(returned: Tree): Tensor[] {
  const found = leaves(returned)
  if (found.length === 0)
    failType('checkGradient', `the function must return tensors, got ${kindOf(returned)}`)
  return found
}

/** The projected value of `f`, recorded at the nearest float32 point and evaluated in float64. */
function projectedValue<P extends Tree>(f: (inputs: P) => Tree, inputs: P, at: readonly Values[]): number {
  return inScope((scope) => {
    let next = 0
    const nearest = mapTensors(inputs, (x) => tensor(Float32Array.from(at[next++]!.values), x.shape)) as P
    const { tape, traced, returned } = record(scope, f, nearest)
    const given = new Map(leaves(traced).map((x, i) => [x.slot, at[i]!] as const))
    const found = evaluateReference(tape, given)
    let sum = 0
    for (const [i, output] of tensorsOf(returned).entries()) {
      const slot = slotOn(output, tape)
      const { values } = slot < 0 ? valuesOf(output) : found[slot]!
      const by = weights(i, output.size)
      for (let j = 0; j < output.size; j++) sum += by[j]! * values[j]!
    }
    return sum
  })
}
