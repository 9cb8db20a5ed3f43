import { apply, tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { defineFused, type FusedOperation } from '../fused.ts'
import { ordinary } from '../info.ts'
import { wasm } from '../kernels/wasm.ts'
import { affine, checkEpsilon, normalizedScale, offsetOf } from '../normalization.ts'
import type { OperationInfo, Shaped } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { checkAxes, sameShape, showShape, sizeOf } from '../shape.ts'
import { type Tensor, tensor } from '../tensor.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { mean } from './mean.ts'
import { mul } from './mul.ts'
import { sqrt } from './sqrt.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'
import { transpose } from './transpose.ts'

/** How `layerNorm` normalises. */
export interface LayerNormOptions {
  /** Over which axes: the last one by default. */
  readonly axis?: number | readonly number[]
  /** Added to the variance before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
}

const names = ['axis', 'epsilon'] as const

interface LayerNorm {
  /** How many of the last axes are normalised over, as one. */
  readonly axes: number
  readonly epsilon: number
  /** Which of the two there are, among the inputs behind x. */
  readonly gamma: boolean
  readonly beta: boolean
}

const normalised = ({ shape }: Shaped, axes: number): readonly number[] => shape.slice(shape.length - axes)

export const layerNormOperation: FusedOperation<LayerNorm> = /*@__PURE__*/ defineFused<LayerNorm>({
  name: 'layerNorm',
  doc: 'gamma (x - mean) / sqrt(variance + epsilon) + beta, of each sample',
  shapes: (inputs, attributes) => {
    const wanted = normalised(inputs[0]!, attributes.axes)
    for (const [name, x] of Object.entries(affine(inputs, attributes))) {
      if (x === undefined || sameShape(x.shape, wanted)) continue
      failRange('layerNorm', `${name} must have shape ${showShape(wanted)}, got ${showShape(x.shape)}`)
    }
    return [inputs[0]!.shape]
  },
  composition: (inputs, attributes) => {
    const x = inputs[0]!
    const { gamma, beta } = affine(inputs, attributes)
    const axis = normalised(x, attributes.axes).map((_, i) => -1 - i)
    const centred = sub(x, mean(x, { axis, keepDims: true }))
    const variance = mean(square(centred), { axis, keepDims: true })
    let y = div(centred, sqrt(add(variance, attributes.epsilon)))
    if (gamma !== undefined) y = mul(y, gamma)
    return [beta === undefined ? y : add(y, beta)]
  },
  kernel: (output, inputs, attributes) => {
    const x = inputs[0]!
    const n = sizeOf(normalised(x, attributes.axes))
    const { gamma, beta } = affine(inputs, attributes)
    wasm().layerNorm(
      x.offset,
      offsetOf(gamma),
      offsetOf(beta),
      output.offset,
      x.size / n,
      n,
      attributes.epsilon,
    )
  },
  batch: 'first',
  isDifferentiable: () => true,
  backward: {
    scratch: ([x], { of, wanted }) =>
      wanted.lastIndexOf(true) > 0 ? 24 * (Math.ceil(sizeOf(normalised(x!, of.axes)) / 4) * 4) : 0,
    kernel: (into, [g], inputs, attributes, scratch) => {
      const x = inputs[0]!
      const shape = normalised(x, attributes.axes)
      const n = sizeOf(shape)
      const wanted = affine(into, attributes)
      wasm().layerNormGradient(
        g!.offset,
        x.offset,
        offsetOf(affine(inputs, attributes).gamma),
        into[0]!,
        wanted.gamma ?? 0,
        wanted.beta ?? 0,
        x.size / n,
        n,
        attributes.epsilon,
        scratch,
      )
    },
  },
})

/**
 * The samples of x, each shifted and scaled to mean 0 and variance 1: y = gamma (x - mean) / sqrt(variance + epsilon) + beta,
 * with the mean and the biased variance over some axes, the last one by default. Statistics are summed in float64, in two passes.
 *
 * @param x rank 1 or more
 * @param gamma the sizes of those axes; 1 where it is left out
 * @param beta the same; 0 where it is left out
 * @param options.axis which axes, the last one by default; in the order of the tensor
 * @param options.epsilon 1e-5 by default
 * @returns the shape of `x`
 * @throws RangeError when an axis is out of range, gamma or beta have another shape, or epsilon is negative
 * @example
 * t.layerNorm(t.tensor([[1, 3], [10, 30]]), undefined, undefined, { epsilon: 0 }).toArray() // => [[-1, 1], [-1, 1]]
 * t.layerNorm(t.tensor([[1, 3]]), t.tensor([2, 2]), t.tensor([0, 1]), { epsilon: 0 }).toArray() // => [[-2, 3]]
 *
 * Ba, Kiros, Hinton: Layer normalization (2016)
 */
export function layerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, options: LayerNormOptions = {}): Tensor {
  checkOptions('layerNorm', options, names)
  const from = tensorOperand('layerNorm', x)
  const axes = checkAxes('layerNorm', options.axis === undefined ? -1 : options.axis, from.rank)
  const epsilon = checkEpsilon('layerNorm', options.epsilon === undefined ? 1e-5 : options.epsilon)
  const further = [gamma, beta].filter((given) => given !== undefined)
  const inputs = further.map((given) => tensorOperand('layerNorm', given))
  const attributes = { axes: axes.length, epsilon, gamma: gamma !== undefined, beta: beta !== undefined }
  const isLast = axes.every((axis, i) => axis === from.rank - axes.length + i)
  if (isLast) return apply(layerNormOperation, [from, ...inputs], attributes)
  const order = [...from.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)), ...axes]
  const y = apply(layerNormOperation, [transpose(from, order), ...inputs], attributes)
  return transpose(
    y,
    order.map((_, axis) => order.indexOf(axis)),
  )
}

export const info: readonly OperationInfo[] = [
  {
    operation: layerNormOperation,
    sample: (draw) => {
      const shape = draw.shape(1, 4)
      const axes = draw.integer(1, shape.length)
      const given = draw.pick(['both', 'none', 'gamma', 'beta'])
      const attributes = {
        axes,
        epsilon: Math.fround(draw.pick([0.5, 0.1])),
        gamma: given === 'both' || given === 'gamma',
        beta: given === 'both' || given === 'beta',
      }
      const own = shape.slice(shape.length - axes)
      const axis = own.map((_, i) => i - axes)
      const further = [...(attributes.gamma ? [own] : []), ...(attributes.beta ? [own] : [])]
      return {
        shapes: [shape, ...further],
        call: (...inputs) => {
          const { gamma, beta } = affine(inputs, attributes)
          return layerNorm(inputs[0]!, gamma, beta, { axis, epsilon: attributes.epsilon })
        },
        composition: (...inputs) => layerNormOperation.composition(inputs, attributes)[0]!,
      }
    },
    domains: [ordinary],
    ulps: 8,
    scale: normalizedScale,
    errors: [
      {
        call: () => layerNorm(tensor([[1, 2]]), tensor([1])),
        kind: 'RangeError',
        message: 'layerNorm: gamma must have shape [2], got [1]',
      },
      {
        call: () => layerNorm(tensor([[1, 2]]), undefined, tensor([1]), { axis: [0, 1] }),
        kind: 'RangeError',
        message: 'layerNorm: beta must have shape [1,2], got [1]',
      },
      {
        call: () => layerNorm(tensor(1)),
        kind: 'RangeError',
        message: 'layerNorm: axis -1 is out of range for rank 0; a scalar has no axes',
      },
      {
        call: () => layerNorm(tensor([1]), undefined, undefined, { epsilon: -1 }),
        kind: 'RangeError',
        message: 'layerNorm: epsilon must be finite and not negative, got -1; pass 1e-5',
      },
      {
        call: () => layerNorm(tensor([1]), undefined, undefined, { epsilon: '1' as unknown as number }),
        kind: 'TypeError',
        message: 'layerNorm: epsilon must be a number, got a string',
      },
    ],
  },
]
