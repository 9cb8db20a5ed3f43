import { apply, tensorOperand } from '../apply.ts'
import {
  type Convolution,
  type ConvolutionOptions,
  checkFilter,
  convolutionOptions,
  convolve,
  convolveBytes,
  convolvedShape,
  filterGradient,
  filterGradientBytes,
} from '../convolution.ts'
import { inputGradient, inputGradientBytes } from '../convolution-input.ts'
import {
  convolveReference,
  filterGradientReference,
  inputGradientReference,
} from '../convolution-reference.ts'
import { convolutionErrors, convolutionSample } from '../convolution-samples.ts'
import { zeros } from '../creation.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkOptions } from '../options.ts'
import { type Shape, sameShape, showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { checkImages, checkPerAxis, resolveWindows } from '../windows.ts'

/*
 * A closed family of three: each operation's cotangents are operations of the family again, so that there are derivatives of
 * every order.
 */

export const conv2dOperation: Operation<Convolution, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Convolution,
  [Tensor, Tensor]
>({
  name: 'conv2d',
  doc: 'windows of images times a filter, as a sum over rows, columns and channels',
  shape: ([x, filter], a) => convolvedShape('conv2d', x!.shape, filter!.shape, a),
  reference: ([x, filter], a, shape) => convolveReference(x!, filter!, a, shape),
  scratch: convolveBytes,
  byRows: () => [true, false],
  kernel: (output, [x, filter], a, scratch) => convolve(output, x, filter, a, scratch),
  kernelIn:
    ({ kernels }) =>
    (output, [x, filter], a, scratch) =>
      convolve(output, x, filter, a, scratch, kernels),
  batch: 'firstRows',
  vjp: [
    (g, _, [x, filter], a) => apply(conv2dInputGradientOperation, [g, filter], withSize(a, x.shape)),
    (g, _, [x, filter], a) => apply(conv2dFilterGradientOperation, [x, g], withTaps(a, filter.shape)),
  ],
})

interface InputGradient extends Convolution {
  readonly inH: number
  readonly inW: number
}

const withSize = (a: Convolution, input: Shape): InputGradient => ({ ...a, inH: input[1]!, inW: input[2]! })

export const conv2dInputGradientOperation: Operation<InputGradient, [Tensor, Tensor]> =
  /*@__PURE__*/ defineOperation<InputGradient, [Tensor, Tensor]>({
    name: 'conv2dInputGradient',
    doc: 'the cotangent of the images that conv2d was given: the transposed convolution',
    shape: ([g, filter], a) => {
      checkImages('conv2dInputGradient', 'the cotangent', g!.shape)
      checkFilter('conv2dInputGradient', filter!.shape, a.groups)
      const input = [g!.shape[0]!, a.inH, a.inW, filter!.shape[2]! * a.groups]
      checkCotangent('conv2dInputGradient', g!.shape, input, filter!.shape, a)
      return input
    },
    reference: ([g, filter], a, shape) => inputGradientReference(g!, filter!, a, shape),
    scratch: ([g, filter], a) =>
      inputGradientBytes(
        g!.shape,
        filter!.shape,
        [g!.shape[0]!, a.inH, a.inW, filter!.shape[2]! * a.groups],
        a,
      ),
    kernel: (output, [g, filter], a, scratch) => inputGradient(output, g, filter, a, scratch),
    kernelIn:
      ({ kernels }) =>
      (output, [g, filter], a, scratch) =>
        inputGradient(output, g, filter, a, scratch, kernels),
    batch: 'firstRows',
    vjp: [
      (x, _, [, filter], a) => apply(conv2dOperation, [x, filter], a),
      (x, _, [g, filter], a) => apply(conv2dFilterGradientOperation, [x, g], withTaps(a, filter.shape)),
    ],
  })

interface FilterGradient extends Convolution {
  readonly kH: number
  readonly kW: number
}

const withTaps = (a: Convolution, filter: Shape): FilterGradient => ({
  ...a,
  kH: filter[0]!,
  kW: filter[1]!,
})

const filterShape = (x: Shape, g: Shape, a: FilterGradient): Shape => [a.kH, a.kW, x[3]! / a.groups, g[3]!]

export const conv2dFilterGradientOperation: Operation<FilterGradient, [Tensor, Tensor]> =
  /*@__PURE__*/ defineOperation<FilterGradient, [Tensor, Tensor]>({
    name: 'conv2dFilterGradient',
    doc: 'the cotangent of the filter that conv2d was given',
    shape: ([x, g], a) => {
      checkImages('conv2dFilterGradient', 'images', x!.shape)
      checkImages('conv2dFilterGradient', 'the cotangent', g!.shape)
      if (x!.shape[3]! % a.groups !== 0) {
        failRange(
          'conv2dFilterGradient',
          `${a.groups} groups do not divide the ${x!.shape[3]} channels of images`,
          'use a divisor',
        )
      }
      const filter = filterShape(x!.shape, g!.shape, a)
      checkFilter('conv2dFilterGradient', filter, a.groups)
      checkCotangent('conv2dFilterGradient', g!.shape, x!.shape, filter, a)
      return filter
    },
    reference: ([x, g], a, shape) => filterGradientReference(x!, g!, a, shape),
    scratch: ([x, g], a) => filterGradientBytes([x!, g!], filterShape(x!.shape, g!.shape, a), a),
    kernel: (output, [x, g], a, scratch) => filterGradient(output, x, g, a, scratch),
    kernelIn:
      ({ kernels }) =>
      (output, [x, g], a, scratch) =>
        filterGradient(output, x, g, a, scratch, kernels),
    vjp: [
      (filter, _, [x, g], a) => apply(conv2dInputGradientOperation, [g, filter], withSize(a, x.shape)),
      (filter, _, [x], a) => apply(conv2dOperation, [x, filter], a),
    ],
  })

function checkCotangent(operation: string, g: Shape, input: Shape, filter: Shape, a: Convolution): void {
  const expected = convolvedShape(operation, input, filter, a)
  if (!sameShape(expected, g)) {
    failRange(
      operation,
      `images ${showShape(input)} and a filter ${showShape(filter)} give ${showShape(expected)}, got a cotangent ${showShape(g)}`,
    )
  }
}

/**
 * The convolution of images with a filter, which is not turned around: y[n, i, j, o] = sum over r, s, c of
 * x[n, stride i + dilation r - padding, stride j + dilation s - padding, c] filter[r, s, c, o]. With as many groups as channels
 * it is depthwise.
 *
 * The padding is of zeros that take part: an infinite weight times them gives NaN. 'same' gives ceil(size / stride) rows as
 * TensorFlow and Keras do, with the odd one of the padding behind; PyTorch has 'same' for stride 1 only, and with numbers pads
 * both sides alike.
 *
 * @param x `[batch, height, width, channels]`
 * @param filter `[height, width, channels / groups, outChannels]`, as in Keras
 * @param options.stride how far apart windows are: a number or [height, width]; 1 by default
 * @param options.padding 'valid' (none, the default), 'same', or how many zeros: for all sides, [height, width], or
 * [[top, bottom], [left, right]]
 * @param options.dilation how far apart a filter's taps are; 1 by default
 * @param options.groups into how many groups channels are split; 1 by default
 * @returns `[batch, rows, columns, outChannels]`, rows = floor((height + padding - dilation (filter height - 1) - 1) / stride) + 1
 * @throws RangeError when channels differ, groups do not divide them, a window does not fit, or a number is out of range
 * @example
 * const x = t.reshape(t.arange(9), [1, 3, 3, 1])
 * t.reshape(t.conv2d(x, t.ones([2, 2, 1, 1])), [2, 2]).toArray() // => [[8, 12], [20, 24]]
 */
export function conv2d(x: Tensor, filter: Tensor, options: ConvolutionOptions = {}): Tensor {
  const images = tensorOperand('conv2d', x)
  const weights = tensorOperand('conv2d', filter)
  return apply(conv2dOperation, [images, weights], resolved('conv2d', images.shape, weights.shape, options))
}

function resolved(operation: string, input: Shape, filter: Shape, options: ConvolutionOptions): Convolution {
  checkOptions(operation, options, convolutionOptions)
  checkImages(operation, 'images', input)
  const groups = checkFilter(operation, filter, options.groups)
  const windows = resolveWindows(operation, [input[1]!, input[2]!], [filter[0]!, filter[1]!], options)
  return { ...windows, groups }
}

/**
 * The gradient of the images that `conv2d` was given: each cotangent times the filter, added up where the windows lay. The
 * adjoint of `conv2d` in its images, and what a transposed convolution is.
 *
 * @param cotangent `[batch, rows, columns, outChannels]`, the shape that `conv2d` gave
 * @param filter that of `conv2d`
 * @param size [height, width] of the images: windows of several sizes give as many rows
 * @param options those of `conv2d`
 * @returns `[batch, height, width, channels]`
 * @throws RangeError when `conv2d` does not give the cotangent's shape
 * @example
 * const g = t.ones([1, 2, 2, 1])
 * t.reshape(t.conv2dInputGradient(g, t.ones([2, 2, 1, 1]), [3, 3]), [3, 3]).toArray() // => [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
 */
export function conv2dInputGradient(
  cotangent: Tensor,
  filter: Tensor,
  size: readonly [height: number, width: number],
  options: ConvolutionOptions = {},
): Tensor {
  const g = tensorOperand('conv2dInputGradient', cotangent)
  const weights = tensorOperand('conv2dInputGradient', filter)
  checkImages('conv2dInputGradient', 'the cotangent', g.shape)
  const [inH, inW] = checkPerAxis('conv2dInputGradient', 'size', size, 0)
  const a = resolved('conv2dInputGradient', [g.shape[0]!, inH, inW, 0], weights.shape, options)
  return apply(conv2dInputGradientOperation, [g, weights], { ...a, inH, inW })
}

/**
 * The gradient of the filter that `conv2d` was given: a convolution of the images with the cotangent, summed over the batch.
 *
 * @param x the images
 * @param cotangent `[batch, rows, columns, outChannels]`, the shape that `conv2d` gave
 * @param size [height, width] of the filter
 * @param options those of `conv2d`
 * @returns `[height, width, channels / groups, outChannels]`
 * @throws RangeError when `conv2d` does not give the cotangent's shape
 * @example
 * const x = t.reshape(t.arange(9), [1, 3, 3, 1])
 * t.reshape(t.conv2dFilterGradient(x, t.ones([1, 2, 2, 1]), [2, 2]), [2, 2]).toArray() // => [[8, 12], [20, 24]]
 */
export function conv2dFilterGradient(
  x: Tensor,
  cotangent: Tensor,
  size: readonly [height: number, width: number],
  options: ConvolutionOptions = {},
): Tensor {
  const images = tensorOperand('conv2dFilterGradient', x)
  const g = tensorOperand('conv2dFilterGradient', cotangent)
  checkImages('conv2dFilterGradient', 'the cotangent', g.shape)
  const [kH, kW] = checkPerAxis('conv2dFilterGradient', 'size', size, 1)
  const a = resolved('conv2dFilterGradient', images.shape, [kH, kW, 0, g.shape[3]!], options)
  return apply(conv2dFilterGradientOperation, [images, g], { ...a, kH, kW })
}

/** Sums of at most 300 terms: k eps |A| |B|. */
const ulps = 300

export const info: readonly OperationInfo[] = [
  {
    operation: conv2dOperation,
    sample: (draw) => {
      const { input, filter, options } = convolutionSample(draw)
      return { shapes: [input, filter], call: (x, w) => conv2d(x!, w!, options) }
    },
    domains: [ordinary],
    ulps,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: /*@__PURE__*/ convolutionErrors(conv2d),
  },
  {
    operation: conv2dInputGradientOperation,
    sample: (draw) => {
      const { input, filter, output, options } = convolutionSample(draw)
      const size = [input[1]!, input[2]!] as const
      return { shapes: [output, filter], call: (g, w) => conv2dInputGradient(g!, w!, size, options) }
    },
    domains: [ordinary],
    ulps,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => conv2dInputGradient(zeros([1, 3, 3, 1]), zeros([2, 2, 1, 1]), [5, 5]),
        kind: 'RangeError',
        message:
          'conv2dInputGradient: images [1,5,5,1] and a filter [2,2,1,1] give [1,4,4,1], got a cotangent [1,3,3,1]',
      },
      {
        call: () => conv2dInputGradient(zeros([3, 3]), zeros([2, 2, 1, 1]), [4, 4]),
        kind: 'RangeError',
        message:
          'conv2dInputGradient: the cotangent must be [batch, height, width, channels], got shape [3,3]; reshape to four axes, channels last',
      },
      {
        call: () => conv2dInputGradient(zeros([1, 3, 3, 1]), zeros([2, 2, 1, 1]), [4, -4]),
        kind: 'RangeError',
        message: 'conv2dInputGradient: size must be an integer from 0 on, or a pair of them, got [4,-4]',
      },
    ],
  },
  {
    operation: conv2dFilterGradientOperation,
    sample: (draw) => {
      const { input, filter, output, options } = convolutionSample(draw)
      const size = [filter[0]!, filter[1]!] as const
      return { shapes: [input, output], call: (x, g) => conv2dFilterGradient(x!, g!, size, options) }
    },
    domains: [ordinary],
    ulps,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => conv2dFilterGradient(zeros([1, 5, 5, 1]), zeros([1, 3, 3, 1]), [2, 2]),
        kind: 'RangeError',
        message:
          'conv2dFilterGradient: images [1,5,5,1] and a filter [2,2,1,1] give [1,4,4,1], got a cotangent [1,3,3,1]',
      },
      {
        call: () => conv2dFilterGradient(zeros([1, 5, 5, 3]), zeros([1, 4, 4, 2]), [2, 2], { groups: 2 }),
        kind: 'RangeError',
        message: 'conv2dFilterGradient: 2 groups do not divide the 3 channels of images; use a divisor',
      },
      {
        call: () => conv2dFilterGradient(zeros([1, 5, 5, 1]), zeros([1, 5, 5, 1]), [0, 1]),
        kind: 'RangeError',
        message: 'conv2dFilterGradient: size must be an integer from 1 on, or a pair of them, got [0,1]',
      },
    ],
  },
]
