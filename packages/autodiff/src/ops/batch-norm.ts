import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { defineFused, type FusedOperation, unpacked } from '../fused.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { affine, checkEpsilon, normalizedScale, offsetOf } from '../normalization.ts'
import type { OperationInfo, Shaped } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { checkLastAxis } from '../rows.ts'
import { type Shape, sameShape, showShape } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { scope } from '../transforms/scope.ts'
import { add } from './add.ts'
import { concat } from './concat.ts'
import { div } from './div.ts'
import { mean as meanOf } from './mean.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { sqrt } from './sqrt.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** How `batchNorm` normalises. */
export interface BatchNormOptions {
  /** Added to the variance before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
}

/** What `batchNorm` gives: the result, and the statistics of the batch. */
export interface BatchNormalized {
  readonly y: Tensor
  /** `[features]` */
  readonly mean: Tensor
  /** `[features]`, biased: the mean of squared distances from the mean. */
  readonly variance: Tensor
}

const names = ['epsilon'] as const

interface BatchNorm {
  readonly epsilon: number
  readonly gamma: boolean
  readonly beta: boolean
}

const featuresOf = ({ shape }: Shaped): number => shape[shape.length - 1]!
const rowsOf = ({ shape }: Shaped): number => shape.slice(0, -1).reduce((count, size) => count * size, 1)
const tableBytes = (x: Shaped): number => 40 * Math.ceil(featuresOf(x) / 4) * 4

function shapesOf(inputs: readonly Shaped[], attributes: BatchNorm): readonly Shape[] {
  const { shape } = inputs[0]!
  const features = [featuresOf({ shape: checkLastAxis('batchNorm', shape) })]
  for (const [name, x] of Object.entries(affine(inputs, attributes))) {
    if (x === undefined || sameShape(x.shape, features)) continue
    failRange('batchNorm', `${name} must have shape ${showShape(features)}, got ${showShape(x.shape)}`)
  }
  return [shape, features, features]
}

export const batchNormOperation: FusedOperation<BatchNorm> = /*@__PURE__*/ defineFused<BatchNorm>({
  name: 'batchNorm',
  doc: 'gamma (x - mean) / sqrt(variance + epsilon) + beta of each feature, mean and variance: packed',
  shapes: shapesOf,
  composition: (inputs, attributes) => {
    const x = inputs[0]!
    const { gamma, beta } = affine(inputs, attributes)
    const axis = x.shape.map((_, i) => i).slice(0, -1)
    const mean = meanOf(x, { axis })
    const centred = sub(x, mean)
    const variance = meanOf(square(centred), { axis })
    let y = div(centred, sqrt(add(variance, attributes.epsilon)))
    if (gamma !== undefined) y = mul(y, gamma)
    return [beta === undefined ? y : add(y, beta), mean, variance]
  },
  scratch: ([x]) => tableBytes(x!),
  kernel: (output, inputs, attributes, scratch) => {
    const x = inputs[0]!
    const features = featuresOf(x)
    const { gamma, beta } = affine(inputs, attributes)
    const mean = output.offset + x.size * 4
    wasm().batchNorm(
      x.offset,
      offsetOf(gamma),
      offsetOf(beta),
      output.offset,
      mean,
      mean + features * 4,
      rowsOf(x),
      features,
      attributes.epsilon,
      scratch,
    )
  },
  isDifferentiable: () => true,
  backward: {
    readsOutput: true,
    scratch: ([x]) => tableBytes(x!),
    kernel: (into, [g, gm, gv], inputs, attributes, scratch) => {
      const x = inputs[0]!
      const features = featuresOf(x)
      const mean = inputs[inputs.length - 1]!.offset + x.size * 4
      const wanted = affine(into, attributes)
      wasm().batchNormGradient(
        offsetOf(g),
        offsetOf(gm),
        offsetOf(gv),
        x.offset,
        offsetOf(affine(inputs, attributes).gamma),
        mean,
        mean + features * 4,
        into[0]!,
        wanted.gamma ?? 0,
        wanted.beta ?? 0,
        rowsOf(x),
        features,
        attributes.epsilon,
        scratch,
      )
    },
  },
})

/**
 * The features of x, each shifted and scaled to mean 0 and variance 1 over all axes but the last: y = gamma (x - mean) /
 * sqrt(variance + epsilon) + beta; and the statistics, which have gradients like any result. They are summed in blocks, in
 * two passes; the variance is biased, its divisor the number of rows.
 *
 * @param x `[…, features]`; without rows the statistics are NaN
 * @param gamma `[features]`; 1 where it is left out
 * @param beta `[features]`; 0 where it is left out
 * @param options.epsilon 1e-5 by default
 * @returns y, of the shape of `x`, mean and variance
 * @throws RangeError when x is a scalar, gamma or beta have another shape, or epsilon is negative
 * @example
 * const { y, mean, variance } = t.batchNorm(t.tensor([[1, 10], [3, 30]]), undefined, undefined, { epsilon: 0 })
 * y.toArray() // => [[-1, -1], [1, 1]]
 * mean.toArray() // => [2, 20]
 * variance.toArray() // => [1, 100]
 *
 * Ioffe & Szegedy: Batch normalization: accelerating deep network training by reducing internal covariate shift (ICML 2015)
 */
export function batchNorm(
  x: Tensor,
  gamma?: Tensor,
  beta?: Tensor,
  options: BatchNormOptions = {},
): BatchNormalized {
  checkOptions('batchNorm', options, names)
  const from = tensorOperand('batchNorm', x)
  const further = [gamma, beta].filter((given) => given !== undefined)
  const inputs = [from, ...further.map((given) => tensorOperand('batchNorm', given))]
  const attributes = {
    epsilon: checkEpsilon('batchNorm', options.epsilon === undefined ? 1e-5 : options.epsilon),
    gamma: gamma !== undefined,
    beta: beta !== undefined,
  }
  return scope(() => {
    const packed = apply(batchNormOperation, inputs, attributes)
    const [y, mean, variance] = unpacked(packed, shapesOf(inputs, attributes))
    return { y: y!, mean: mean!, variance: variance! }
  })
}

const joined = (results: readonly Tensor[]): Tensor => concat(results.map((x) => reshape(x, [-1])))

export const info: readonly OperationInfo[] = [
  {
    operation: batchNormOperation,
    sample: (draw) => {
      // The statistics of no rows are NaN.
      const shape = draw.shape(1, 4).map((size, i, { length }) => (i < length - 1 ? Math.max(1, size) : size))
      const features = shape.slice(-1)
      const given = draw.pick(['both', 'none', 'gamma', 'beta'])
      const attributes = {
        epsilon: Math.fround(draw.pick([0.5, 0.1])),
        gamma: given === 'both' || given === 'gamma',
        beta: given === 'both' || given === 'beta',
      }
      const further = [...(attributes.gamma ? [features] : []), ...(attributes.beta ? [features] : [])]
      const results = draw.pick(['all', 'y', 'statistics'])
      const chosen = (all: readonly Tensor[]): Tensor =>
        joined(results === 'all' ? all : results === 'y' ? all.slice(0, 1) : all.slice(1))
      return {
        shapes: [shape, ...further],
        call: (...inputs) =>
          scope(() => {
            const { gamma, beta } = affine(inputs, attributes)
            const { y, mean, variance } = batchNorm(inputs[0]!, gamma, beta, { epsilon: attributes.epsilon })
            return chosen([y, mean, variance])
          }),
        composition: (...inputs) => chosen(batchNormOperation.composition(inputs, attributes)),
      }
    },
    domains: [ordinary],
    ulps: 8,
    scale: normalizedScale,
    errors: [
      {
        call: () => batchNorm(tensor([[1, 2]]), tensor([1])),
        kind: 'RangeError',
        message: 'batchNorm: gamma must have shape [2], got [1]',
      },
      {
        call: () => batchNorm(tensor([[1, 2]]), undefined, tensor([[1, 2]])),
        kind: 'RangeError',
        message: 'batchNorm: beta must have shape [2], got [1,2]',
      },
      {
        call: () => batchNorm(tensor(1)),
        kind: 'RangeError',
        message: 'batchNorm: a scalar has no last axis; reshape it to [1]',
      },
      {
        call: () => batchNorm(tensor([[1]]), undefined, undefined, { epsilon: Number.NaN }),
        kind: 'RangeError',
        message: 'batchNorm: epsilon must be finite and not negative, got NaN; pass 1e-5',
      },
    ],
  },
]
