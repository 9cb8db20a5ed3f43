import * as t from '@tapeflow/autodiff'
import { applyInner } from '../combine/apply-inner.ts'
import { part } from '../combine/part.ts'
import { scopeUnlessTapped } from '../combine/scope-unless-tapped.ts'
import { checkCount } from '../counts.ts'
import type { Context, Layer } from '../layer.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { type LayerNormParams, layerNorm } from './layer-norm.ts'
import { type LinearParams, linear } from './linear.ts'
import { type MultiHeadAttentionParams, multiHeadAttention } from './multi-head-attention.ts'
import { type NamedActivations, namedActivation } from './named-activation.ts'

/** Parameters of a transformer block: of its attention, of the two layers of its feed-forward part, and of a layer norm for each. */
export type TransformerBlockParams = {
  readonly attention: MultiHeadAttentionParams
  readonly attentionNorm: LayerNormParams
  readonly feedForward: { readonly hidden: LinearParams; readonly output: LinearParams }
  readonly feedForwardNorm: LayerNormParams
}

/** Activations that a file can name. */
export const blockActivations: NamedActivations = { gelu: t.gelu, relu: t.relu, silu: t.silu }

/** How a transformer block is built. */
export interface TransformerBlockOptions {
  /** Normalise before each part, `'pre'` (the default), or after its sum with what came in, `'post'`. */
  readonly norm?: 'pre' | 'post'
  /** Place i attends to places 0 to i only. Off by default. */
  readonly causal?: boolean
  /** How many units the feed-forward part has: 4 features by default. */
  readonly hidden?: number
  /** What stands between the two linear layers: `t.gelu` by default. */
  readonly activation?: (x: t.Tensor) => t.Tensor
  /** The probability that an element of what a part gives is dropped while it trains: 0 by default. */
  readonly dropout?: number
  /** The same for weights of attention: 0 by default. */
  readonly attentionDropout?: number
  /** Whether queries and keys are turned by their places (`rotaryPositions`). Off by default. */
  readonly rotary?: boolean
  /** Of the layer norms: 1e-5 by default. */
  readonly epsilon?: number
}

/** What a transformer block sees of a sequence. */
export interface TransformerMasks {
  /** 1 where a place sees another, 0 where not; broadcasts to `[…, length, length]`. */
  readonly mask?: t.Tensor
  /** 1 for places that are there, 0 for padding: `[…, length]`. */
  readonly keyMask?: t.Tensor
}

/** A transformer block: a layer, and a method that takes masks. */
export interface TransformerBlock<Features extends number = number>
  extends Layer<TransformerBlockParams, null, Features, Features> {
  /** The block's output where places are hidden, such as those that fill up short sequences: of the shape of x. */
  transform(params: TransformerBlockParams, x: t.Tensor, masks: TransformerMasks, ctx: Context): t.Tensor
}

/**
 * A layer that lets places of a sequence attend to each other, and then works on each by itself: the block that transformers
 * are stacks of. With attention A and F(x) = output(gelu(hidden(x))), layer norms N and dropout D it is
 * h = x + D(A(N(x))), y = h + D(F(N(h))); with `norm: 'post'`, as in the paper, h = N(x + D(A(x))), y = N(h + D(F(h))).
 *
 * Pre-norm trains without a warm-up of the learning rate; a stack of such blocks ends with a `layerNorm`. Sequences that are
 * filled up are passed by `block.transform(params, x, { keyMask }, ctx)`. The paper has `activation: t.relu` and dropout 0.1.
 *
 * @param features how many each place has: the last axis of x, and of y
 * @param heads of `multiHeadAttention`; they divide the features
 * @param options.norm `'pre'` (default) or `'post'`
 * @param options.causal place i attends to places 0 to i only; off by default
 * @param options.hidden units of the feed-forward part, 4 features by default
 * @param options.activation between its two layers, `t.gelu` by default
 * @param options.dropout of what each part gives, 0 by default; needs a key while it trains
 * @param options.attentionDropout of weights of attention, 0 by default
 * @param options.rotary turn queries and keys by their places; off by default
 * @param options.epsilon of the layer norms, 1e-5 by default
 * @returns a layer `[rows, …, length, features]` -> the same, with `transform`
 * @throws RangeError for options out of range and inputs of another shape, TypeError for another norm
 * @example
 * const model = sequential(embedding(50, 8), sinusoidalPositions(), transformerBlock(8, 2, { causal: true }), layerNorm(), linear(8, 50))
 * const { params, state, outputShape } = model.init(t.key(1), [6])
 * outputShape // => [6, 50]
 * model.apply(params, state, t.zeros([3, 6]), { training: true, path: '' }).y.shape // => [3, 6, 50]
 *
 * Vaswani et al.: Attention is all you need (NIPS 2017); Xiong et al.: On layer normalization in the transformer architecture
 * (ICML 2020)
 */
export function transformerBlock<const Features extends number>(
  features: Features,
  heads: number,
  options: TransformerBlockOptions = {},
): TransformerBlock<Features> {
  const {
    norm = 'pre',
    causal = false,
    activation = t.gelu,
    rotary = false,
    epsilon = 1e-5,
  } = t.knownOptions(
    'transformerBlock',
    options,
    'norm causal hidden activation dropout attentionDropout rotary epsilon',
  )
  const { dropout = 0, attentionDropout = 0 } = options
  checkCount('transformerBlock', 'features', features)
  const { hidden = 4 * features } = options
  if (norm !== 'pre' && norm !== 'post') {
    t.failType('transformerBlock', `norm must be 'pre' or 'post', got '${String(norm)}'`)
  }
  checkCount('transformerBlock', 'hidden units', hidden)
  const attention = multiHeadAttention(features, heads, { causal, rotary, dropout: attentionDropout })
  const [widen, narrow] = [linear(features, hidden), linear(hidden, features)]
  const normalise = layerNorm({ epsilon })
  const drop = dropoutLayer(dropout)
  const named = namedActivation(activation, blockActivations)

  const layers = { attention, feedForward: { name: `feedForward ${features}, ${hidden}` } }
  type Inner = (x: t.Tensor, ctx: Context) => t.Tensor
  const withResidual = (
    name: 'attention' | 'feedForward',
    run: Inner,
    params: TransformerBlockParams,
    x: t.Tensor,
    ctx: Context,
  ): t.Tensor => {
    const normed = (at: t.Tensor): t.Tensor =>
      applyInner({ layer: normalise, name: `${name}Norm` }, params[`${name}Norm`], null, at, ctx).y
    const given = norm === 'pre' ? normed(x) : x
    const made = part(ctx, name, layers[name], params[name], (inner) => run(given, inner))
    const dropKey = ctx.key === undefined ? ctx : { ...ctx, key: t.foldIn(ctx.key, `${name}Dropout`) }
    const sum = t.add(x, drop.apply(null, null, made, dropKey).y)
    return norm === 'pre' ? sum : normed(sum)
  }

  const transform: TransformerBlock['transform'] = (params, x, masks, ctx) => {
    const attend: Inner = (query, inner) => attention.attend(params.attention, { query, ...masks }, inner)
    const feed: Inner = (at, inner) => {
      const { hidden: first, output } = params.feedForward
      const units = applyInner({ layer: widen, name: 'hidden' }, first, null, at, inner).y
      return applyInner({ layer: narrow, name: 'output' }, output, null, activation(units), inner).y
    }
    const run = (): t.Tensor =>
      withResidual('feedForward', feed, params, withResidual('attention', attend, params, x, ctx), ctx)
    return scopeUnlessTapped(ctx, run)
  }

  return {
    name: `transformerBlock ${features}, ${heads} ${heads === 1 ? 'head' : 'heads'}`,
    ...(named && {
      config: {
        type: 'transformerBlock',
        features,
        heads,
        norm,
        causal,
        hidden,
        dropout,
        attentionDropout,
        rotary,
        epsilon,
        ...named,
      },
    }),
    inputSize: features,
    init: (key, inputShape) => {
      const own = t.foldIn(key, 'feedForward')
      return {
        params: {
          attention: attention.init(t.foldIn(key, 'attention'), inputShape).params,
          attentionNorm: normalise.init(key, inputShape).params,
          feedForward: {
            hidden: widen.init(t.foldIn(own, 'hidden'), inputShape).params,
            output: narrow.init(t.foldIn(own, 'output'), [hidden]).params,
          },
          feedForwardNorm: normalise.init(key, inputShape).params,
        },
        state: null,
        outputShape: inputShape,
      }
    },
    apply: (params, state, x, ctx) => ({ y: transform(params, x, {}, ctx), state }),
    transform,
  }
}
