import { scope, type Tensor } from '@tapeflow/autodiff'
import type { LayerConfig, SizePreserving } from '../layer.ts'

/**
 * A layer that applies `f` to what it gets, and has no parameters: y = f(x). Any number of features, as many come out.
 *
 * @param name the words for it in errors
 * @param f keeps the shape of its argument; written with operations
 * @param config what a model's file says of it, `{ type: 'swish' }`; without it a model that has this layer cannot be saved
 * @example
 * const swish = activation('swish', (x) => t.mul(x, t.sigmoid(x)))
 * swish.apply(null, null, t.tensor([0, 1e4]), { training: false, path: '' }).y.toArray() // => [0, 10000]
 */
export function activation(
  name: string,
  f: (x: Tensor) => Tensor,
  config?: LayerConfig,
): SizePreserving<null, null> {
  return {
    name,
    ...(config === undefined ? {} : { config }),
    init: (_key, inputShape) => ({ params: null, state: null, outputShape: inputShape }),
    apply: (_params, state, x) => ({ y: scope(() => f(x)), state }),
  }
}
