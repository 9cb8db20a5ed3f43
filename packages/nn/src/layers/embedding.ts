import * as t from '@tapeflow/autodiff'
import { checkCount } from '../counts.ts'
import { drawParameter } from '../initializers/draw-parameter.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { standardNormal } from '../initializers/standard-normal.ts'
import type { Layer } from '../layer.ts'

/** Parameters of an embedding: weight `[count, features]`, a row for each index. */
export type EmbeddingParams = { readonly weight: t.Tensor }

/** How an embedding starts, and which index stands for nothing. */
export interface EmbeddingOptions {
  /** Draws the weight; standard normal numbers by default. */
  readonly weight?: Initializer
  /** The index that gives zeros; none by default. */
  readonly padding?: number
}

/**
 * A layer that looks up a row of numbers for each index: y = W[x]. Words, characters or categories go in, counted from 0, and
 * vectors come out that are trained; indices have no gradient.
 *
 * W begins with standard normal numbers, as in PyTorch, the size of `sinusoidalPositions` that may be added (Keras: spread evenly
 * over ±0.05). It is drawn from the key's child `weight`.
 *
 * @param count how many indices there are: x holds integers from 0 to count - 1
 * @param features how many numbers each gives
 * @param options.weight initializer of W `[count, features]`, standard normal by default
 * @param options.padding an index that gives zeros and trains nothing, such as one that fills up short sequences; none by default.
 * Attention must be told of it beside: `keyMask`
 * @returns a layer `[rows, …]` -> `[rows, …, features]`
 * @throws RangeError when a size is no integer from 1 on or the padding no index; in `apply` when an index is out of range: names
 * it and its place, where the pass is recorded once the program is run
 * @example
 * const layer = embedding(3, 2, { padding: 0 })
 * const params = { weight: t.tensor([[9, 9], [1, 2], [3, 4]]) }
 * layer.apply(params, null, t.tensor([[2, 1, 0]]), { training: true, path: '' }).y.toArray() // => [[[3, 4], [1, 2], [0, 0]]]
 *
 * Bengio, Ducharme, Vincent, Jauvin: A neural probabilistic language model (JMLR 2003)
 */
export function embedding<const Features extends number>(
  count: number,
  features: Features,
  options: EmbeddingOptions = {},
): Layer<EmbeddingParams, null, number, Features> {
  const { weight = standardNormal, padding } = t.knownOptions('embedding', options, 'weight padding')
  checkCount('embedding', 'indices', count)
  checkCount('embedding', 'features', features)
  if (padding !== undefined && !(Number.isInteger(padding) && padding >= 0 && padding < count)) {
    t.failRange(
      'embedding',
      `padding must be an integer from 0 to ${count - 1}, got ${padding}`,
      'name one of the indices',
    )
  }
  return {
    name: `embedding ${count} -> ${features}`,
    config: { type: 'embedding', count, features, padding },
    init: (key, inputShape) => ({
      params: {
        weight: drawParameter('embedding', key, 'weight', weight, [count, features], [count, features]),
      },
      state: null,
      outputShape: [...inputShape, features],
    }),
    apply: (params, state, x) => ({
      y: t.scope(() => {
        const rows = t.gather(params.weight, x)
        return padding === undefined ? rows : t.where(t.expandDims(t.notEqual(x, padding), -1), rows, 0)
      }),
      state,
    }),
  }
}
