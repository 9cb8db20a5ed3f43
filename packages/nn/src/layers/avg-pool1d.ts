import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { type Pool1dOptions, pooling1d } from './pooling.ts'

/** How windows slide over sequences, and what their means are over. */
export interface AvgPool1dOptions extends Pool1dOptions {
  /** Whether means are over the padding too, as zeros; off by default. */
  readonly countIncludePadding?: boolean
}

/**
 * A layer that takes the mean of each window of sequences, channel by channel: over the places inside the sequence, as Keras
 * has it; PyTorch counts its padding too. No parameters, any number of channels.
 *
 * @param size of the windows
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: on both sides, or [before, after]; smaller than the
 * window
 * @param options.countIncludePadding divide by the window's size at ends too; off by default
 * @returns a layer `[rows, length, channels]` -> `[rows, length', channels]`
 * @throws RangeError for sizes below 1; in `init` and `apply` for inputs that are no sequences (names the layer's path), and
 * where no window fits
 * @example
 * const x = t.tensor([[[1], [3], [2], [0], [7]]])
 * avgPool1d(2).apply(null, null, x, { training: true, path: '' }).y.toArray() // => [[[2], [1]]]
 */
export function avgPool1d(size: number, options: AvgPool1dOptions = {}): SizePreserving<null, null> {
  const { countIncludePadding = false } = t.knownOptions(
    'avgPool1d',
    options,
    'countIncludePadding stride padding',
  )
  return pooling1d('avgPool1d', size, { ...options, countIncludePadding }, (x, taps, given) =>
    t.avgPool2d(x, taps, { ...given, countIncludePadding }),
  )
}
