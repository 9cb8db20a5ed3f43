import * as t from '@tapeflow/autodiff'
import { at, type Layer } from '../layer.ts'

/**
 * A layer that makes one axis of all that a sample has, in row-major order: what stands between images and `linear`. Nothing is
 * copied. No parameters; how many features come out is known once `init` is told the shape.
 *
 * @returns a layer `[rows, …sample]` -> `[rows, features]`
 * @throws RangeError in `apply` for an input without rows: names the layer's path
 * @example
 * const layer = flatten()
 * layer.init(t.key(1), [4, 4, 8]).outputShape // => [128]
 * layer.apply(null, null, t.tensor([[[1, 2], [3, 4]]]), { training: true, path: '' }).y.toArray() // => [[1, 2, 3, 4]]
 */
export function flatten(): Layer<null, null> {
  return {
    name: 'flatten',
    config: { type: 'flatten' },
    init: (_key, inputShape) => ({ params: null, state: null, outputShape: [t.sizeOf(inputShape)] }),
    apply: (_params, state, x, ctx) => {
      const [rows, ...sample] = x.shape
      if (rows === undefined) {
        t.failRange('flatten', `the layer${at(ctx)} takes batches, got a scalar`, 'pass [rows, …]')
      }
      return { y: t.reshape(x, [rows, t.sizeOf(sample)]), state }
    },
  }
}
