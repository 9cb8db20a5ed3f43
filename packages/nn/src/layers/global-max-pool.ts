import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { globalPooling } from './pooling.ts'

/**
 * A layer that takes the largest of all places, channel by channel: of sequences, images or volumes. NaN where there is one; the
 * gradient goes to the first of several. No parameters, any number of channels.
 *
 * @returns a layer `[rows, …places, channels]` -> `[rows, channels]`
 * @throws RangeError in `init` and `apply` for inputs without an axis of places, or with an empty one: names the layer's path
 * @example
 * const x = t.tensor([[[[1, 5], [2, 4]]]])
 * globalMaxPool().apply(null, null, x, { training: true, path: '' }).y.toArray() // => [[2, 5]]
 */
export function globalMaxPool(): SizePreserving<null, null> {
  return globalPooling('globalMaxPool', t.max)
}
