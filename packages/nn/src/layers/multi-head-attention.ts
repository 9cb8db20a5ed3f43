import * as t from '@tapeflow/autodiff'
import { applyInner } from '../combine/apply-inner.ts'
import { scopeUnlessTapped } from '../combine/scope-unless-tapped.ts'
import { checkCount } from '../counts.ts'
import type { Initializer } from '../initializers/initializer.ts'
import type { Context, Layer } from '../layer.ts'
import { type Attended, attentionMask, checkAttended, withoutPadding } from './attended.ts'
import { attentionWeights } from './attention-weights.ts'
import { dropout } from './dropout.ts'
import { type LinearParams, type LinearParamsWithoutBias, linear } from './linear.ts'
import { rotaryPositions } from './rotary-positions.ts'

type Projection<Bias extends boolean> = Bias extends true ? LinearParams : LinearParamsWithoutBias

/** Parameters of multi-head attention: of four linear layers, weight `[in, out]` and bias `[out]`. */
export type MultiHeadAttentionParams<Bias extends boolean = true> = {
  readonly query: Projection<Bias>
  readonly key: Projection<Bias>
  readonly value: Projection<Bias>
  readonly output: Projection<Bias>
}

/** How multi-head attention looks. */
export interface MultiHeadAttentionOptions<Bias extends boolean = boolean> {
  /** Place i attends to places 0 to i only. Off by default. */
  readonly causal?: boolean
  /** The probability that a weight of attention is dropped while it trains: 0 by default. */
  readonly dropout?: number
  /** Whether queries and keys are turned by their places (`rotaryPositions`). Off by default. */
  readonly rotary?: boolean
  /** Whether the four linear layers have biases; they have by default. */
  readonly useBias?: Bias
  /** How many numbers a head has: features / heads by default. */
  readonly depth?: number
  /** How many features keys have, where they are not queries: as many by default. */
  readonly keyFeatures?: number
  /** How many features values have: as many as keys by default. */
  readonly valueFeatures?: number
  /** Draws the four weights; `glorotUniform` by default. */
  readonly weight?: Initializer
}

/** Attention of a sequence to itself, as a layer; and of one to another, by methods. */
export interface MultiHeadAttention<P, Features extends number = number>
  extends Layer<P, null, Features, Features> {
  /**
   * What queries find among keys: `[…, queries, features]`.
   *
   * @throws RangeError when shapes do not fit: names the layer's path
   */
  attend(params: P, inputs: Attended, ctx: Context): t.Tensor
  /** How much each query attends to each key, head by head: `[…, heads, queries, keys]`. Nothing is dropped. */
  weights(params: P, inputs: Attended): t.Tensor
}

/**
 * A layer by which each place of a sequence takes what it needs from others: softmax(q k' / sqrt(depth)) v, several times beside
 * each other. Queries q = query(x), keys k = key(x) and values v = value(x) are linear in x and cut into heads; what the heads
 * find is put together again and passed through output: y = output([head_1, …, head_n]).
 *
 * `attend` looks from one sequence into another, and takes masks:
 * `attention.attend(params, { query: decoded, key: encoded, keyMask }, ctx)`. A key that is hidden has no influence; a query from
 * which all are hidden finds zeros. Without `dropout` the weights of attention of one head are all that is held in memory.
 *
 * @param features how many each place has: the last axis of x, and of y
 * @param heads how many; by default they share the features evenly
 * @param options.causal place i attends to places 0 to i only; off by default
 * @param options.dropout of weights of attention, 0 by default; needs a key while it trains
 * @param options.rotary turn queries and keys by their places; off by default
 * @param options.useBias false leaves the four biases out; true by default
 * @param options.depth of a head: features / heads by default
 * @param options.keyFeatures of other keys than the queries, `valueFeatures` of other values; as many by default
 * @param options.weight initializer of the four weights, `glorotUniform` by default; biases begin at 0
 * @returns a layer `[rows, …, length, features]` -> the same, with `attend` and `weights`
 * @throws RangeError when a size is no integer from 1 on, heads do not divide the features, or a depth to be turned is odd; in
 * `init` and `apply` for other inputs: names the layer's path
 * @example
 * const attention = multiHeadAttention(4, 2, { causal: true })
 * const { params, state } = attention.init(t.key(1), [3, 4])
 * t.paths(params).slice(0, 4) // => ['key.bias', 'key.weight', 'output.bias', 'output.weight']
 * const ctx = { training: false, path: '' }
 * attention.apply(params, state, t.ones([2, 3, 4]), ctx).y.shape // => [2, 3, 4]
 * attention.attend(params, { query: t.ones([2, 1, 4]), key: t.ones([2, 5, 4]), causal: false }, ctx).shape // => [2, 1, 4]
 * attention.weights(params, { query: t.ones([1, 2, 4]) }).toArray()[0][1] // => [[1, 0], [0.5, 0.5]]
 *
 * Vaswani et al.: Attention is all you need (NIPS 2017)
 */
export function multiHeadAttention<const Features extends number, const Bias extends boolean = true>(
  features: Features,
  heads: number,
  options?: MultiHeadAttentionOptions<Bias>,
): MultiHeadAttention<MultiHeadAttentionParams<Bias>, Features>
export function multiHeadAttention(
  features: number,
  heads: number,
  options: MultiHeadAttentionOptions = {},
): MultiHeadAttention<MultiHeadAttentionParams<boolean>> {
  const {
    causal = false,
    dropout: rate = 0,
    rotary = false,
    useBias = true,
    weight,
  } = t.knownOptions(
    'multiHeadAttention',
    options,
    'causal dropout rotary useBias depth keyFeatures valueFeatures weight',
  )
  const { keyFeatures = features, valueFeatures = keyFeatures } = options
  const depth = depthOf(features, heads, options)
  const linearOptions = { useBias, ...(weight && { weight }) }
  const query = linear(features, heads * depth, linearOptions)
  const key = linear(keyFeatures, heads * depth, linearOptions)
  const value = linear(valueFeatures, heads * depth, linearOptions)
  const output = linear(heads * depth, features, linearOptions)
  const dropped = dropout(rate)
  type Params = MultiHeadAttentionParams<boolean>

  const inHeads = (name: 'query' | 'key' | 'value', params: Params, x: t.Tensor, ctx: Context): t.Tensor => {
    const layer = { query, key, value }[name]
    const projected = applyInner({ layer, name }, params[name], null, x, ctx).y
    const cut = t.swapAxes(t.reshape(projected, [...x.shape.slice(0, -1), heads, depth]), -3, -2)
    return rotary && name !== 'value' ? rotaryPositions(cut) : cut
  }

  const attend = (params: Params, inputs: Attended, ctx: Context): t.Tensor => {
    const [q, k, v] = checkAttended('multiHeadAttention', inputs, ctx)
    const run = (): t.Tensor => {
      const known = withoutPadding(k, inputs)
      const [ofQueries, ofKeys, ofValues] = [
        inHeads('query', params, q, ctx),
        inHeads('key', params, known, ctx),
        inHeads('value', params, v === k ? known : withoutPadding(v, inputs), ctx),
      ]
      const mask = attentionMask(inputs)
      const sees = inputs.causal ?? causal
      const found =
        ctx.training && rate > 0
          ? t.matmul(
              dropped.apply(null, null, attentionWeights(ofQueries, ofKeys, mask, sees), ctx).y,
              ofValues,
            )
          : t.scaledDotProductAttention(ofQueries, ofKeys, ofValues, { causal: sees, ...(mask && { mask }) })
      const joined = t.reshape(t.swapAxes(found, -3, -2), [...q.shape.slice(0, -1), heads * depth])
      return applyInner({ layer: output, name: 'output' }, params.output, null, joined, ctx).y
    }
    return scopeUnlessTapped(ctx, run)
  }

  return {
    name: `multiHeadAttention ${features}, ${heads} ${heads === 1 ? 'head' : 'heads'}`,
    config: {
      type: 'multiHeadAttention',
      features,
      heads,
      keyFeatures,
      valueFeatures,
      depth,
      causal,
      rotary,
      dropout: rate,
      useBias,
    },
    inputSize: features,
    init: (parent, inputShape) => {
      if (inputShape.length < 2 || inputShape[inputShape.length - 1] !== features) {
        t.failRange(
          'multiHeadAttention',
          `the layer takes samples [length, ${features}], got samples of shape ${t.showShape(inputShape)}`,
          "make the last axis the layer's features",
        )
      }
      const start = (name: string, layer: typeof query, size: number): Projection<boolean> =>
        layer.init(t.foldIn(parent, name), [size]).params
      return {
        params: {
          query: start('query', query, features),
          key: start('key', key, keyFeatures),
          value: start('value', value, valueFeatures),
          output: start('output', output, heads * depth),
        },
        state: null,
        outputShape: inputShape,
      }
    },
    apply: (params, state, x, ctx) => ({ y: attend(params, { query: x }, ctx), state }),
    attend,
    weights: (params, inputs) => {
      const ctx: Context = { training: false, path: '' }
      const [q, k] = checkAttended('multiHeadAttention', inputs, ctx)
      return t.scope(() =>
        attentionWeights(
          inHeads('query', params, q, ctx),
          inHeads('key', params, withoutPadding(k, inputs), ctx),
          attentionMask(inputs),
          inputs.causal ?? causal,
        ),
      )
    },
  }
}

function depthOf(features: number, heads: number, options: MultiHeadAttentionOptions): number {
  checkCount('multiHeadAttention', 'features', features)
  checkCount('multiHeadAttention', 'heads', heads)
  const { depth = features / heads, rotary = false } = options
  if (!Number.isInteger(depth) || depth < 1) {
    t.failRange(
      'multiHeadAttention',
      `a head must have a whole number of features, got ${features} features for ${heads} heads`,
      'choose heads that divide the features, or pass a depth',
    )
  }
  if (rotary && depth % 2 !== 0) {
    t.failRange(
      'multiHeadAttention',
      `rotary turns pairs of features, got heads of depth ${depth}`,
      'make the depth even',
    )
  }
  return depth
}
