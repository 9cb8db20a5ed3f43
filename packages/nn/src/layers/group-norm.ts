import * as t from '@tapeflow/autodiff'
import { checkCount } from '../counts.ts'
import { at, type SizePreserving } from '../layer.ts'
import { type Affine, type AffineParams, checkEpsilon, startOfAffine } from './affine.ts'

/** Parameters of a group norm, each `[channels]`: gamma unless `scale` is off, beta unless `center` is. */
export type GroupNormParams<Center extends boolean = true, Scale extends boolean = true> = AffineParams<
  Center,
  Scale
>

/** How a group norm works. */
export interface GroupNormOptions<Center extends boolean = boolean, Scale extends boolean = boolean> {
  /** Added to the variance before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
  /** Whether beta is added; it is by default. */
  readonly center?: Center
  /** Whether gamma is multiplied by; it is by default. */
  readonly scale?: Scale
}

/**
 * A layer that normalises each sample by groups of neighbouring channels: y = gamma (x - mean) / sqrt(variance + epsilon) + beta,
 * with the mean and the biased variance of a group over all its places and channels; gamma and beta are of channels. In training
 * and at inference alike: it does not depend on the batch, and so works for small ones.
 *
 * One group normalises the whole sample; as many groups as channels are instance normalisation (Ulyanov et al. 2016).
 *
 * @param groups how many; it must divide the channels. The paper uses 32
 * @param options.epsilon 1e-5 by default
 * @param options.center false leaves beta out
 * @param options.scale false leaves gamma out
 * @returns a layer `[rows, …, channels]` -> the same
 * @throws RangeError for options out of range; in `init` and `apply` when the groups do not divide the channels, in `apply` for
 * other channels than those of the parameters: names the layer's path
 * @example
 * const layer = groupNorm(2, { epsilon: 0 })
 * const { params, state } = layer.init(t.key(1), [4])
 * layer.apply(params, state, t.tensor([[1, 3, 10, 30]]), { training: true, path: '' }).y.toArray() // => [[-1, 1, -1, 1]]
 *
 * Wu & He: Group normalization (ECCV 2018)
 */
export function groupNorm<const Center extends boolean = true, const Scale extends boolean = true>(
  groups: number,
  options?: GroupNormOptions<Center, Scale>,
): SizePreserving<GroupNormParams<Center, Scale>, null>
export function groupNorm(groups: number, options: GroupNormOptions = {}): SizePreserving<Affine, null> {
  const {
    epsilon = 1e-5,
    center = true,
    scale = true,
  } = t.knownOptions('groupNorm', options, 'epsilon center scale')
  checkCount('groupNorm', 'groups', groups)
  checkEpsilon('groupNorm', epsilon)
  return {
    name: `groupNorm ${groups}`,
    config: { type: 'groupNorm', groups, epsilon, center, scale },
    init: (_key, inputShape) => {
      const channels = inputShape[inputShape.length - 1]
      if (channels === undefined || channels % groups !== 0) {
        t.failRange(
          'groupNorm',
          `channels must be a multiple of ${groups} groups, got samples of shape ${t.showShape(inputShape)}`,
          'choose groups that divide the last axis',
        )
      }
      return { params: startOfAffine([channels], center, scale), state: null, outputShape: inputShape }
    },
    apply: ({ gamma, beta }, state, x, ctx) => {
      const channels = x.shape[x.rank - 1]
      const own = (gamma ?? beta)?.size ?? channels
      if (x.rank < 2 || channels === undefined || channels !== own || channels % groups !== 0) {
        const wanted = own === channels ? `channels in ${groups} groups` : `${own} channels`
        return t.failRange(
          'groupNorm',
          `the layer${at(ctx)} takes batches of ${wanted}, got an input of shape ${t.showShape(x.shape)}`,
          `pass [rows, …, channels]`,
        )
      }
      const rows = x.shape[0]!
      const places = t.sizeOf(x.shape.slice(1, -1))
      return {
        y: t.scope(() => {
          const grouped = t.reshape(x, [rows, places, groups, channels / groups])
          let y = t.layerNorm(grouped, undefined, undefined, { axis: [1, 3], epsilon })
          y = t.reshape(y, x.shape)
          if (gamma !== undefined) y = t.mul(y, gamma)
          return beta === undefined ? y : t.add(y, beta)
        }),
        state,
      }
    },
  }
}
