import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { pooling } from './pooling.ts'

/**
 * A layer that takes the mean of each window of images, channel by channel: over the pixels inside the image, as Keras has it;
 * PyTorch counts its padding too. No parameters, any number of channels.
 *
 * @param size of the windows: a number or [height, width]
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: for all sides, [height, width], or
 * [[top, bottom], [left, right]]; smaller than the window
 * @param options.countIncludePadding divide by the window's size at edges too; off by default
 * @returns a layer `[rows, height, width, channels]` -> `[rows, height', width', channels]`
 * @throws RangeError in `init` and `apply` for inputs that are no images (names the layer's path), for numbers out of range,
 * and where no window fits
 * @example
 * const x = t.reshape(t.arange(16), [1, 4, 4, 1])
 * const { y } = avgPool2d(2).apply(null, null, x, { training: true, path: '' })
 * t.reshape(y, [2, 2]).toArray() // => [[2.5, 4.5], [10.5, 12.5]]
 */
export function avgPool2d(size: t.PerAxis, options: t.AvgPoolOptions = {}): SizePreserving<null, null> {
  t.knownOptions('avgPool2d', options, 'countIncludePadding stride padding')
  return pooling('avgPool2d', ['height', 'width'], { size, ...options }, (x) => t.avgPool2d(x, size, options))
}
