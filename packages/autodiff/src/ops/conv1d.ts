import { tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { checkPadding, checkPerAxis } from '../windows.ts'
import { conv2d } from './conv2d.ts'
import { reshape } from './reshape.ts'

/** How a filter slides over sequences. */
export interface Conv1dOptions {
  readonly stride?: number
  readonly padding?: 'valid' | 'same' | number | readonly [before: number, after: number]
  readonly dilation?: number
  readonly groups?: number
}

/**
 * The convolution of sequences with a filter: `conv2d` of images one row high, on the same memory.
 *
 * @param x `[batch, length, channels]`
 * @param filter `[length, channels / groups, outChannels]`
 * @param options.stride how far apart windows are; 1 by default
 * @param options.padding 'valid' (none, the default), 'same', or how many zeros: on both sides, or [before, after]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.groups into how many groups channels are split; 1 by default
 * @returns `[batch, windows, outChannels]`
 * @throws RangeError as `conv2d` does
 * @example
 * const x = t.tensor([[[1], [2], [4], [8]]])
 * t.conv1d(x, t.tensor([[[1]], [[10]]])).toArray() // => [[[21], [42], [84]]]
 */
export function conv1d(x: Tensor, filter: Tensor, options: Conv1dOptions = {}): Tensor {
  const { shape } = tensorOperand('conv1d', x)
  const taps = tensorOperand('conv1d', filter).shape
  checkOptions('conv1d', options, ['stride', 'padding', 'dilation', 'groups'])
  if (shape.length !== 3 || taps.length !== 3) {
    failRange(
      'conv1d',
      `[batch, length, channels] and a filter [length, channels / groups, outChannels] are needed, got ${showShape(shape)} and ${showShape(taps)}`,
    )
  }
  const { stride = 1, padding = 'valid', dilation = 1, groups } = options
  const along = checkPadding('conv1d', typeof padding === 'object' ? [0, padding] : padding)
  const y = conv2d(reshape(x, [shape[0]!, 1, shape[1]!, shape[2]!]), reshape(filter, [1, ...taps]), {
    stride: [1, checkPerAxis('conv1d', 'stride', stride, 1)[1]],
    dilation: [1, checkPerAxis('conv1d', 'dilation', dilation, 1)[1]],
    padding: along === 'same' ? along : [0, along[1]],
    ...(groups !== undefined && { groups }),
  })
  return reshape(y, [y.shape[0]!, y.shape[2]!, y.shape[3]!])
}
