import { apply, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { failRange } from '../fail.ts'
import { ordinary } from '../info.ts'
import { convolutionKernels } from '../kernels/convolution.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { checkFlag } from '../options.ts'
import {
  forEachWindow,
  type Pool,
  type PoolOptions,
  pooledShape,
  poolOptions,
  resolvePool,
} from '../pooling.ts'
import { poolSample } from '../pooling-samples.ts'
import { type Shape, sameShape, showShape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { checkImages, checkPerAxis, type PerAxis } from '../windows.ts'

/** How windows slide, and what their means are over. */
export interface AvgPoolOptions extends PoolOptions {
  readonly countIncludePadding?: boolean
}

interface Average extends Pool {
  /** What a sum is divided by: 0 for the number of pixels inside. */
  readonly whole: number
}

export const avgPool2dOperation: Operation<Average, [Tensor]> = /*@__PURE__*/ defineOperation<
  Average,
  [Tensor]
>({
  name: 'avgPool2d',
  doc: 'the mean of each window',
  shape: ([x], a) => pooledShape('avgPool2d', x!.shape, a),
  reference: ([x], a, shape) => {
    const result = new Float64Array(sizeOf(shape))
    forEachWindow(x!.shape, shape, a, (places, at) => {
      const sum = places.reduce((before, place) => before + x!.values[place]!, 0)
      result[at] = sum / (a.whole || places.length)
    })
    return result
  },
  kernel: (output, [x], a) => average(x, output, a, 0),
  batch: 'rows',
  vjp: [(g, _, [x], a) => apply(avgPool2dSpreadOperation, [g], { ...a, inH: x.shape[1]!, inW: x.shape[2]! })],
})

interface Spread extends Average {
  readonly inH: number
  readonly inW: number
}

export const avgPool2dSpreadOperation: Operation<Spread, [Tensor]> = /*@__PURE__*/ defineOperation<
  Spread,
  [Tensor]
>({
  name: 'avgPool2dSpread',
  doc: 'each cotangent shared out among the pixels of its window, and added up',
  shape: ([g], a) => {
    checkImages('avgPool2dSpread', 'the cotangent', g!.shape)
    const input = spreadShape(g!.shape, a)
    const expected = pooledShape('avgPool2dSpread', input, a)
    if (!sameShape(expected, g!.shape)) {
      failRange(
        'avgPool2dSpread',
        `images ${showShape(input)} give ${showShape(expected)}, got a cotangent ${showShape(g!.shape)}`,
      )
    }
    return input
  },
  reference: ([g], a, shape) => {
    const result = new Float64Array(sizeOf(shape))
    forEachWindow(shape, g!.shape, a, (places, at) => {
      for (const place of places) result[place]! += g!.values[at]! / (a.whole || places.length)
    })
    return result
  },
  kernel: (output, [g], a) => average(output, g, a, 1),
  batch: 'rows',
  vjp: [(x, _, __, a) => apply(avgPool2dOperation, [x], a)],
})

const spreadShape = (g: Shape, a: Spread): Shape => [g[0]!, a.inH, a.inW, g[3]!]

function average(images: Tensor, pooled: Tensor, a: Average, spreads: 0 | 1): void {
  convolutionKernels().averagePool(
    images.offset,
    pooled.offset,
    images.shape[0]!,
    images.shape[1]!,
    images.shape[2]!,
    images.shape[3]!,
    -a.top,
    -a.left,
    a.kH,
    a.kW,
    a.strideH,
    a.strideW,
    pooled.shape[1]!,
    pooled.shape[2]!,
    a.whole,
    spreads,
  )
}

/**
 * The mean of each window, channel by channel: over the pixels inside the image, as TensorFlow and Keras have it. PyTorch counts
 * its padding too, as zeros: that is `countIncludePadding`.
 *
 * @param x `[batch, height, width, channels]`
 * @param size of the windows: a number or [height, width]
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: for all sides, [height, width], or
 * [[top, bottom], [left, right]], smaller than the window
 * @param options.countIncludePadding divide by the window's size at edges too; off by default
 * @returns `[batch, rows, columns, channels]`
 * @throws RangeError when a window does not fit, or might lie in the padding alone, or a number is out of range
 * @example
 * const x = t.reshape(t.arange(16), [1, 4, 4, 1])
 * t.reshape(t.avgPool2d(x, 2), [2, 2]).toArray() // => [[2.5, 4.5], [10.5, 12.5]]
 */
export function avgPool2d(x: Tensor, size: PerAxis, options: AvgPoolOptions = {}): Tensor {
  const from = tensorOperand('avgPool2d', x)
  return apply(avgPool2dOperation, [from], resolved('avgPool2d', from.shape, size, options))
}

function resolved(operation: string, input: Shape, size: PerAxis, options: AvgPoolOptions): Average {
  const pool = resolvePool(operation, input, size, options, [...poolOptions, 'countIncludePadding'])
  const isWhole = checkFlag(operation, 'countIncludePadding', options.countIncludePadding)
  return { ...pool, whole: isWhole ? pool.kH * pool.kW : 0 }
}

/**
 * Each cotangent shared out evenly among the pixels of its window, and added up: the gradient of `avgPool2d`, its adjoint.
 *
 * @param cotangent the shape that `avgPool2d` gave
 * @param size of the windows @param imageSize [height, width] of the images
 * @param options those of `avgPool2d`
 * @returns `[batch, height, width, channels]`
 * @throws RangeError when `avgPool2d` does not give the cotangent's shape
 * @example
 * t.avgPool2dSpread(t.full([1, 1, 1, 1], 8), 2, [2, 2]).toArray() // => [[[[2], [2]], [[2], [2]]]]
 */
export function avgPool2dSpread(
  cotangent: Tensor,
  size: PerAxis,
  imageSize: readonly [height: number, width: number],
  options: AvgPoolOptions = {},
): Tensor {
  const g = tensorOperand('avgPool2dSpread', cotangent)
  checkImages('avgPool2dSpread', 'the cotangent', g.shape)
  const [inH, inW] = checkPerAxis('avgPool2dSpread', 'imageSize', imageSize, 0)
  const a = resolved('avgPool2dSpread', [g.shape[0]!, inH, inW, g.shape[3]!], size, options)
  return apply(avgPool2dSpreadOperation, [g], { ...a, inH, inW })
}

export const info: readonly OperationInfo[] = [
  {
    operation: avgPool2dOperation,
    sample: (draw) => {
      const { input, size, options } = poolSample(draw)
      const countIncludePadding = draw.integer(0, 1) === 1
      return { shapes: [input], call: (x) => avgPool2d(x!, size, { ...options, countIncludePadding }) }
    },
    domains: [ordinary],
    ulps: 9,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => avgPool2d(zeros([1, 4, 4, 1]), [2, 5]),
        kind: 'RangeError',
        message:
          'avgPool2d: a window reaches over 5 columns, the padded input has 4; pad more, or use a smaller window or dilation',
      },
      {
        call: () => avgPool2d(zeros([1, 4, 4, 1]), 2, { countIncludePadding: 1 as unknown as boolean }),
        kind: 'TypeError',
        message: 'avgPool2d: countIncludePadding must be true or false, got a number; leave it out for false',
      },
      {
        call: () => avgPool2d(zeros([1, 4, 4, 1]), 2, { pad: 1 } as AvgPoolOptions),
        kind: 'RangeError',
        message: "avgPool2d: unknown option 'pad'; use stride, padding, countIncludePadding",
      },
    ],
  },
  {
    operation: avgPool2dSpreadOperation,
    sample: (draw) => {
      const { input, output, size, options } = poolSample(draw)
      const countIncludePadding = draw.integer(0, 1) === 1
      const imageSize = [input[1]!, input[2]!] as const
      return {
        shapes: [output],
        call: (g) => avgPool2dSpread(g!, size, imageSize, { ...options, countIncludePadding }),
      }
    },
    domains: [ordinary],
    ulps: 9,
    scale: (_inputs, _output, magnitudes) => magnitudes,
    errors: [
      {
        call: () => avgPool2dSpread(zeros([1, 2, 2, 1]), 2, [6, 4]),
        kind: 'RangeError',
        message: 'avgPool2dSpread: images [1,6,4,1] give [1,3,2,1], got a cotangent [1,2,2,1]',
      },
    ],
  },
]
