import { tensorOperand } from '../apply.ts'
import { type ConvolutionOptions, checkFilter, convolutionOptions } from '../convolution.ts'
import { failRange } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { checkImages, checkPadding, checkPerAxis, type PerAxis, reach } from '../windows.ts'
import { conv2dInputGradient } from './conv2d.ts'

/** How a filter is spread over images. */
export interface ConvTranspose2dOptions extends ConvolutionOptions {
  /** Rows and columns of the result that windows of a stride above 1 leave open; 0 by default. */
  readonly outputPadding?: PerAxis
}

/**
 * The transposed convolution: each pixel times the filter, added up `stride` apart. It is the adjoint of `conv2d` with the same
 * options, and gives images of the size that `conv2d` turns into this one.
 *
 * A size is (size - 1) stride - padding + dilation (filter size - 1) + 1 + outputPadding, as in PyTorch; with 'same' it is
 * size times stride, as in Keras. With 'valid' Keras gives max(stride - filter size, 0) rows more: `outputPadding` adds them.
 *
 * @param x `[batch, height, width, channels]`
 * @param filter `[height, width, outChannels / groups, channels]`, as in Keras: that of the convolution whose adjoint it is.
 * PyTorch has [channels, outChannels / groups, height, width]
 * @param options those of `conv2d`
 * @param options.outputPadding rows and columns more at the end, below the stride; 0 by default, and not with 'same'
 * @returns `[batch, rows, columns, outChannels]`
 * @throws RangeError when channels differ, groups do not divide them, nothing would be left, or a number is out of range
 * @example
 * const x = t.tensor([[[[1], [2]]]])
 * t.convTranspose2d(x, t.ones([1, 3, 1, 1]), { stride: [1, 2] }).toArray() // => [[[[1], [1], [3], [2], [2]]]]
 */
export function convTranspose2d(x: Tensor, filter: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  const name = 'convTranspose2d'
  const { shape } = tensorOperand(name, x)
  const taps = tensorOperand(name, filter).shape
  checkOptions(name, options, [...convolutionOptions, 'outputPadding'])
  const { outputPadding = 0, ...convolution } = options
  const { stride = 1, dilation = 1 } = options
  checkImages(name, 'images', shape)
  checkFilter(name, taps, options.groups)
  if (shape[3] !== taps[3]) {
    failRange(
      name,
      `channels differ, got images ${showShape(shape)} and a filter ${showShape(taps)}`,
      "the filter's last size must be that of the images",
    )
  }
  const steps = checkPerAxis(name, 'stride', stride, 1)
  const apart = checkPerAxis(name, 'dilation', dilation, 1)
  const more = checkPerAxis(name, 'outputPadding', outputPadding, 0)
  const padding = checkPadding(name, options.padding)
  const size = steps.map((step, axis) => {
    if (more[axis]! >= step && more[axis] !== 0) {
      failRange(name, `outputPadding must be below the stride ${step}, got ${more[axis]}`)
    }
    const count = shape[axis + 1]!
    if (padding === 'same') {
      if (more[axis] !== 0) failRange(name, `outputPadding goes with padding in numbers, got 'same'`)
      return count * step
    }
    if (count === 0) return 0
    const [before, after] = padding[axis]!
    const made = (count - 1) * step + reach(taps[axis]!, apart[axis]!) + more[axis]! - before - after
    if (made < 1) {
      failRange(
        name,
        `a padding of ${before} and ${after} takes all of ${made + before + after} rows or columns`,
        'pad less',
      )
    }
    return made
  })
  return conv2dInputGradient(x, filter, [size[0]!, size[1]!], convolution)
}
