import * as t from '@tapeflow/autodiff'
import { at, type SizePreserving } from '../layer.ts'
import { type Affine, type AffineParams, checkEpsilon, startOfAffine } from './affine.ts'

/** Parameters of an RMS norm: gamma `[features]`, unless `scale` is off. */
export type RmsNormParams<Scale extends boolean = true> = AffineParams<false, Scale>

/** How an RMS norm works. */
export interface RmsNormOptions<Scale extends boolean = boolean> {
  /** Added to the mean square before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
  /** Whether gamma is multiplied by; it is by default. */
  readonly scale?: Scale
}

/**
 * A layer that divides features by their root mean square: y = gamma x / sqrt(mean(x²) + epsilon), the mean over the last axis.
 * A layer norm without the mean and beta: cheaper, and as good in deep transformers. gamma begins at 1.
 *
 * @param options.epsilon 1e-5 by default; the paper has none
 * @param options.scale false leaves gamma out
 * @returns a layer `[rows, …, features]` -> the same
 * @throws RangeError for an epsilon out of range; in `init` for samples that are scalars; in `apply` for another number of
 * features: names the layer's path
 * @example
 * const layer = rmsNorm({ epsilon: 0 })
 * const { params, state } = layer.init(t.key(1), [2])
 * layer.apply(params, state, t.tensor([[1, 7], [-2, 14]]), { training: true, path: '' }).y.toArray()[0] // => [Math.fround(0.2), Math.fround(1.4)]
 *
 * Zhang & Sennrich: Root mean square layer normalization (NeurIPS 2019)
 */
export function rmsNorm<const Scale extends boolean = true>(
  options?: RmsNormOptions<Scale>,
): SizePreserving<RmsNormParams<Scale>, null>
export function rmsNorm(options: RmsNormOptions = {}): SizePreserving<Affine, null> {
  const { epsilon = 1e-5, scale = true } = t.knownOptions('rmsNorm', options, 'epsilon scale')
  checkEpsilon('rmsNorm', epsilon)
  return {
    name: 'rmsNorm',
    config: { type: 'rmsNorm', epsilon, scale },
    init: (_key, inputShape) => {
      const features = inputShape.slice(-1)
      if (features.length === 0) {
        t.failRange('rmsNorm', 'samples must have features, got scalars', 'give them an axis: [1]')
      }
      return { params: startOfAffine(features, false, scale), state: null, outputShape: inputShape }
    },
    apply: ({ gamma }, state, x, ctx) => {
      const features = gamma?.size ?? x.shape[x.rank - 1]
      if (features === undefined || x.shape[x.rank - 1] !== features) {
        t.failRange(
          'rmsNorm',
          `the layer${at(ctx)} takes ${features ?? 'any'} features, got an input of shape ${t.showShape(x.shape)}`,
          'pass samples like those of init',
        )
      }
      return {
        y: t.scope(() => {
          const power = t.mean(t.square(x), { axis: -1, keepDims: true })
          const y = t.div(x, t.sqrt(t.add(power, epsilon)))
          return gamma === undefined ? y : t.mul(y, gamma)
        }),
        state,
      }
    },
  }
}
