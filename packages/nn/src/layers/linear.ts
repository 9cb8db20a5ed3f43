import * as t from '@tapeflow/autodiff'
import { drawParameter } from '../initializers/draw-parameter.ts'
import { glorotUniform } from '../initializers/glorot-uniform.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { zeros } from '../initializers/zeros.ts'
import { at, type Layer } from '../layer.ts'

/** Parameters of a linear layer: weight `[in, out]`, bias `[out]`. */
export type LinearParams = { readonly weight: t.Tensor; readonly bias: t.Tensor }

/** Parameters of a linear layer without a bias. */
export type LinearParamsWithoutBias = { readonly weight: t.Tensor }

/** How a linear layer starts. */
export interface LinearOptions {
  /** Draws the weight; `glorotUniform` by default. */
  readonly weight?: Initializer
  /** Draws the bias; `zeros` by default. */
  readonly bias?: Initializer
  /** Whether there is a bias; there is by default. */
  readonly useBias?: boolean
}

/**
 * A layer that takes weighted sums of features: y = x W + b. Rows are samples; all leading axes are kept.
 *
 * `init` draws the weight from the key's child `weight`, the bias from its child `bias`.
 *
 * @param inSize how many features it takes: the last axis of x
 * @param outSize how many it gives
 * @param options.weight initializer of W `[inSize, outSize]`, `glorotUniform` by default
 * @param options.bias initializer of b `[outSize]`, `zeros` by default
 * @param options.useBias false leaves b out; true by default
 * @returns a layer `[…, inSize]` -> `[…, outSize]`
 * @throws RangeError when a size is no integer from 1 on; in `init` and `apply` when the last axis is not `inSize`:
 * names the layer's path and both sizes
 * @example
 * const layer = linear(2, 3, { weight: ones })
 * const { params, state } = layer.init(t.key(1), [2])
 * layer.apply(params, state, t.tensor([[1, 10]]), { training: true, path: '' }).y.toArray() // => [[11, 11, 11]]
 */
export function linear<const In extends number, const Out extends number>(
  inSize: In,
  outSize: Out,
  options?: LinearOptions & { readonly useBias?: true },
): Layer<LinearParams, null, In, Out>
export function linear<const In extends number, const Out extends number>(
  inSize: In,
  outSize: Out,
  options: LinearOptions & { readonly useBias: false },
): Layer<LinearParamsWithoutBias, null, In, Out>
export function linear<const In extends number, const Out extends number>(
  inSize: In,
  outSize: Out,
  options: LinearOptions,
): Layer<LinearParams | LinearParamsWithoutBias, null, In, Out>
export function linear(
  inSize: number,
  outSize: number,
  options: LinearOptions = {},
): Layer<LinearParams | LinearParamsWithoutBias, null> {
  const {
    weight = glorotUniform,
    bias = zeros,
    useBias = true,
  } = t.knownOptions('linear', options, 'weight bias useBias')
  for (const size of [inSize, outSize]) {
    if (!Number.isInteger(size) || size < 1) {
      t.failRange(
        'linear',
        `sizes must be integers from 1 on, got ${inSize} and ${outSize}`,
        'count features',
      )
    }
  }
  const fans = [inSize, outSize] as const
  return {
    name: `linear ${inSize} -> ${outSize}`,
    inputSize: inSize,
    config: { type: 'linear', inSize, outSize, useBias },
    init: (key, inputShape) => {
      if (inputShape[inputShape.length - 1] !== inSize) {
        t.failRange(
          'linear',
          `the layer takes ${inSize} features, got samples of shape ${t.showShape(inputShape)}`,
          `make the last axis ${inSize}, or change the layer's input size`,
        )
      }
      const outputShape = [...inputShape.slice(0, -1), outSize]
      const drawn = drawParameter('linear', key, 'weight', weight, [inSize, outSize], fans)
      if (!useBias) return { params: { weight: drawn }, state: null, outputShape }
      const shift = drawParameter('linear', key, 'bias', bias, [outSize], fans)
      return { params: { weight: drawn, bias: shift }, state: null, outputShape }
    },
    apply: (params, state, x, ctx) => {
      if (x.shape[x.rank - 1] !== inSize) {
        t.failRange(
          'linear',
          `the layer${at(ctx)} takes ${inSize} features, got an input of shape ${t.showShape(x.shape)}`,
          `make the last axis ${inSize}, or change the layer's input size`,
        )
      }
      return { y: t.linear(x, params.weight, 'bias' in params ? params.bias : undefined), state }
    },
  }
}
