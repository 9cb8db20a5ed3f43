import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { globalPooling } from './pooling.ts'

/**
 * A layer that takes the mean over all places, channel by channel: of sequences, images or volumes. It makes a classifier of
 * filters that does not depend on the size of images, and has fewer parameters than `flatten`. No parameters, any number of
 * channels.
 *
 * @returns a layer `[rows, …places, channels]` -> `[rows, channels]`
 * @throws RangeError in `init` and `apply` for inputs without an axis of places: names the layer's path
 * @example
 * const x = t.tensor([[[[1, 5], [2, 4]]]])
 * globalAvgPool().apply(null, null, x, { training: true, path: '' }).y.toArray() // => [[1.5, 4.5]]
 *
 * Lin, Chen, Yan: Network in network (ICLR 2014)
 */
export function globalAvgPool(): SizePreserving<null, null> {
  return globalPooling('globalAvgPool', t.mean)
}
