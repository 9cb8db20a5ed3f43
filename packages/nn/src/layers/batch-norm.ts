import * as t from '@tapeflow/autodiff'
import { at, type Context, type SizePreserving } from '../layer.ts'
import { type Affine, type AffineParams, checkEpsilon, startOfAffine } from './affine.ts'

/** Parameters of a batch norm, each `[features]`: gamma unless `scale` is off, beta unless `center` is. */
export type BatchNormParams<Center extends boolean = true, Scale extends boolean = true> = AffineParams<
  Center,
  Scale
>

/** Moving averages of a batch norm, each `[features]`: what it normalises by at inference. */
export type BatchNormState = { readonly movingMean: t.Tensor; readonly movingVariance: t.Tensor }

/** How a batch norm works. */
export interface BatchNormOptions<Center extends boolean = boolean, Scale extends boolean = boolean> {
  /** How much of the old moving averages is kept at a step: 0.9 by default. */
  readonly momentum?: number
  /** Added to the variance before its root is taken: 1e-5 by default. */
  readonly epsilon?: number
  /** Whether the moving variance averages unbiased ones; off by default. */
  readonly unbiasedMovingVariance?: boolean
  /** Whether beta is added; it is by default. */
  readonly center?: Center
  /** Whether gamma is multiplied by; it is by default. */
  readonly scale?: Scale
}

/**
 * A layer that normalises features: y = gamma (x - mean) / sqrt(variance + epsilon) + beta. While it trains, with the mean and
 * the biased variance of the batch, over all axes but the last; the gradient goes through both. At inference, with moving
 * averages of them: moving = momentum moving + (1 - momentum) batch, which begin at 0 and 1 and are the layer's state.
 *
 * gamma begins at 1, beta at 0. A batch without rows leaves the state as it is.
 *
 * Keras uses momentum 0.99 and epsilon 1e-3. PyTorch uses 1e-5 and averages unbiased variances
 * (`unbiasedMovingVariance: true`; of a single row there is none, the biased one is taken); its momentum 0.1 is 0.9 here.
 *
 * @param options.momentum of the moving averages, from 0 to 1; 0.9 by default
 * @param options.epsilon 1e-5 by default
 * @param options.unbiasedMovingVariance average variances times n / (n - 1); off by default
 * @param options.center false leaves beta out
 * @param options.scale false leaves gamma out
 * @returns a layer `[rows, …, features]` -> the same
 * @throws RangeError for options out of range; in `init` for samples that are scalars; in `apply` when x is no batch, or has
 * another number of features: names the layer's path
 * @example
 * const layer = batchNorm({ epsilon: 0, momentum: 0.5 })
 * const { params, state } = layer.init(t.key(1), [1])
 * const made = layer.apply(params, state, t.tensor([[1], [3]]), { training: true, path: '' })
 * made.y.toArray() // => [[-1], [1]]
 * made.state.movingMean.toArray() // => [1]
 * layer.apply(params, made.state, t.tensor([[1], [3]]), { training: false, path: '' }).y.toArray() // => [[0], [2]]
 *
 * Ioffe & Szegedy: Batch normalization: accelerating deep network training by reducing internal covariate shift (ICML 2015)
 */
export function batchNorm<const Center extends boolean = true, const Scale extends boolean = true>(
  options?: BatchNormOptions<Center, Scale>,
): SizePreserving<BatchNormParams<Center, Scale>, BatchNormState>
export function batchNorm(options: BatchNormOptions = {}): SizePreserving<Affine, BatchNormState> {
  const {
    momentum = 0.9,
    epsilon = 1e-5,
    unbiasedMovingVariance = false,
    center = true,
    scale = true,
  } = t.knownOptions('batchNorm', options, 'momentum epsilon unbiasedMovingVariance center scale')
  if (!(momentum >= 0 && momentum <= 1))
    t.failRange('batchNorm', `momentum must be between 0 and 1, got ${momentum}`)
  checkEpsilon('batchNorm', epsilon)
  return {
    name: 'batchNorm',
    config: { type: 'batchNorm', momentum, epsilon, unbiasedMovingVariance, center, scale },
    init: (_key, inputShape) => {
      const features = inputShape.slice(-1)
      if (features.length === 0) {
        t.failRange('batchNorm', 'samples must have features, got scalars', 'give them an axis: [1]')
      }
      return {
        params: startOfAffine(features, center, scale),
        state: { movingMean: t.zeros(features), movingVariance: t.ones(features) },
        outputShape: inputShape,
      }
    },
    apply: ({ gamma, beta }, state, x, ctx) => {
      const features = state.movingMean.size
      checkInput(x, features, ctx)
      if (!ctx.training) return { y: normalised(x, gamma, beta, state, epsilon), state }
      const rows = x.size / features
      return t.scope(() => {
        const { y, mean, variance } = t.batchNorm(x, gamma, beta, { epsilon })
        if (!(rows > 0)) return { y, state }
        const spread = unbiasedMovingVariance ? t.mul(variance, rows / Math.max(1, rows - 1)) : variance
        const average = (moving: t.Tensor, own: t.Tensor): t.Tensor =>
          t.add(t.mul(moving, momentum), t.mul(own, 1 - momentum))
        const movingMean = average(state.movingMean, mean)
        return { y, state: { movingMean, movingVariance: average(state.movingVariance, spread) } }
      })
    },
  }
}

function normalised(
  x: t.Tensor,
  gamma: t.Tensor | undefined,
  beta: t.Tensor | undefined,
  { movingMean, movingVariance }: BatchNormState,
  epsilon: number,
): t.Tensor {
  return t.scope(() => {
    // By feature first: there are fewer of them than elements.
    const factor = t.div(gamma ?? 1, t.sqrt(t.add(movingVariance, epsilon)))
    const y = t.mul(t.sub(x, movingMean), factor)
    return beta === undefined ? y : t.add(y, beta)
  })
}

function checkInput(x: t.Tensor, features: number, ctx: Context): void {
  if (x.rank >= 2 && x.shape[x.rank - 1] === features) return
  t.failRange(
    'batchNorm',
    `the layer${at(ctx)} takes batches of ${features} features, got an input of shape ${t.showShape(x.shape)}`,
    `pass [rows, …, ${features}]`,
  )
}
