import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { type Pool1dOptions, pooling1d } from './pooling.ts'

/**
 * A layer that takes the largest of each window of sequences, channel by channel; NaN where a window holds one. Padding never
 * wins. Where several are largest the gradient goes to the first. No parameters, any number of channels.
 *
 * @param size of the windows
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: on both sides, or [before, after]; smaller than the
 * window
 * @returns a layer `[rows, length, channels]` -> `[rows, length', channels]`
 * @throws RangeError for sizes below 1; in `init` and `apply` for inputs that are no sequences (names the layer's path), and
 * where no window fits
 * @example
 * const x = t.tensor([[[1], [3], [2], [0], [7]]])
 * maxPool1d(2).apply(null, null, x, { training: true, path: '' }).y.toArray() // => [[[3], [2]]]
 */
export function maxPool1d(size: number, options: Pool1dOptions = {}): SizePreserving<null, null> {
  t.knownOptions('maxPool1d', options, 'stride padding')
  return pooling1d('maxPool1d', size, { ...options }, t.maxPool2d)
}
