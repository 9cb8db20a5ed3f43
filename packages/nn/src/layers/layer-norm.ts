import * as t from '@tapeflow/autodiff'
import { checkCount } from '../counts.ts'
import { at, type SizePreserving } from '../layer.ts'
import { type Affine, type AffineParams, checkEpsilon, startOfAffine } from './affine.ts'

/** Parameters of a layer norm, in the sizes of the axes it normalises over: gamma unless `scale` is off, beta unless `center` is. */
export type LayerNormParams<Center extends boolean = true, Scale extends boolean = true> = AffineParams<
  Center,
  Scale
>

/** How a layer norm works. */
export interface LayerNormOptions<Center extends boolean = boolean, Scale extends boolean = boolean> {
  /** Over how many of the last axes, as one: 1 by default. */
  readonly axes?: number
  /** Added to the variance before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
  /** Whether beta is added; it is by default. */
  readonly center?: Center
  /** Whether gamma is multiplied by; it is by default. */
  readonly scale?: Scale
}

/**
 * A layer that normalises each sample by itself: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the
 * biased variance over the last axis, or several. In training and at inference alike: there is no state.
 *
 * gamma begins at 1, beta at 0. Keras uses epsilon 1e-3; 1e-5 is PyTorch's.
 *
 * @param options.axes how many of the last axes are normalised over, as one: 1 by default. gamma and beta have their sizes
 * @param options.epsilon 1e-5 by default
 * @param options.center false leaves beta out
 * @param options.scale false leaves gamma out
 * @returns a layer `[rows, …, features]` -> the same
 * @throws RangeError for options out of range; in `init` for samples of fewer axes; in `apply` when the last axes of x are
 * others than those of the parameters: names the layer's path
 * @example
 * const layer = layerNorm({ epsilon: 0 })
 * const { params, state } = layer.init(t.key(1), [2])
 * layer.apply(params, state, t.tensor([[1, 3], [10, 30]]), { training: true, path: '' }).y.toArray() // => [[-1, 1], [-1, 1]]
 *
 * Ba, Kiros, Hinton: Layer normalization (2016)
 */
export function layerNorm<const Center extends boolean = true, const Scale extends boolean = true>(
  options?: LayerNormOptions<Center, Scale>,
): SizePreserving<LayerNormParams<Center, Scale>, null>
export function layerNorm(options: LayerNormOptions = {}): SizePreserving<Affine, null> {
  const {
    axes = 1,
    epsilon = 1e-5,
    center = true,
    scale = true,
  } = t.knownOptions('layerNorm', options, 'axes epsilon center scale')
  checkCount('layerNorm', 'axes', axes)
  checkEpsilon('layerNorm', epsilon)
  const axis = Array.from({ length: axes }, (_, i) => i - axes)
  return {
    name: 'layerNorm',
    config: { type: 'layerNorm', axes, epsilon, center, scale },
    init: (_key, inputShape) => {
      if (inputShape.length < axes) {
        t.failRange(
          'layerNorm',
          `samples must have at least ${axes} ${axes === 1 ? 'axis' : 'axes'}, got samples of shape ${t.showShape(inputShape)}`,
          'normalise over fewer axes',
        )
      }
      return {
        params: startOfAffine(inputShape.slice(-axes), center, scale),
        state: null,
        outputShape: inputShape,
      }
    },
    apply: ({ gamma, beta }, state, x, ctx) => {
      const own = (gamma ?? beta)?.shape
      if (x.rank < axes || (own !== undefined && !t.sameShape(x.shape.slice(-axes), own))) {
        const wanted = own === undefined ? `at least ${axes} axes` : `last axes ${t.showShape(own)}`
        t.failRange(
          'layerNorm',
          `the layer${at(ctx)} takes ${wanted}, got an input of shape ${t.showShape(x.shape)}`,
          'pass samples like those of init',
        )
      }
      return { y: t.layerNorm(x, gamma, beta, { axis, epsilon }), state }
    },
  }
}
