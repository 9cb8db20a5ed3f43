import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { pooling } from './pooling.ts'

/**
 * A layer that takes the largest of each window of images, channel by channel; NaN where a window holds one. Padding never wins.
 * Where several are largest the gradient goes to the first, in rows and then columns. No parameters, any number of channels.
 *
 * @param size of the windows: a number or [height, width]
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: for all sides, [height, width], or
 * [[top, bottom], [left, right]]; smaller than the window
 * @returns a layer `[rows, height, width, channels]` -> `[rows, height', width', channels]`
 * @throws RangeError in `init` and `apply` for inputs that are no images (names the layer's path), for numbers out of range,
 * and where no window fits
 * @example
 * const x = t.reshape(t.arange(16), [1, 4, 4, 1])
 * const { y } = maxPool2d(2).apply(null, null, x, { training: true, path: '' })
 * t.reshape(y, [2, 2]).toArray() // => [[5, 7], [13, 15]]
 *
 * Ranzato, Huang, Boureau, LeCun: Unsupervised learning of invariant feature hierarchies (CVPR 2007)
 */
export function maxPool2d(size: t.PerAxis, options: t.PoolOptions = {}): SizePreserving<null, null> {
  t.knownOptions('maxPool2d', options, 'stride padding')
  return pooling('maxPool2d', ['height', 'width'], { size, ...options }, (x) => t.maxPool2d(x, size, options))
}
