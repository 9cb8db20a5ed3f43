import { apply, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { failRange } from '../fail.ts'
import { convolutionKernels } from '../kernels/convolution.ts'
import { defineOperation, type Operation, type OperationInfo, type Values } from '../operation.ts'
import { forEachWindow, type Pool, type PoolOptions, pooledShape, resolvePool } from '../pooling.ts'
import { poolSample } from '../pooling-samples.ts'
import { sameShape, showShape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { PerAxis } from '../windows.ts'

/*
 * The largest are found again on the way back, rather than remembered: it takes no memory, and reads what must be read anyway.
 * Spreading to those places and picking from them are adjoints of each other.
 */

export const maxPool2dOperation: Operation<Pool, [Tensor]> = /*@__PURE__*/ defineOperation<Pool, [Tensor]>({
  name: 'maxPool2d',
  doc: 'the largest of each window; NaN where there is one',
  shape: ([x], a) => pooledShape('maxPool2d', x!.shape, a),
  reference: ([x], a, shape) => {
    const result = new Float64Array(sizeOf(shape))
    forEachWindow(x!.shape, shape, a, (places, at) => {
      result[at] = Math.max(...places.map((place) => x!.values[place]!))
    })
    return result
  },
  kernel: (output, [x], a) =>
    convolutionKernels().maxPool(
      x.offset,
      output.offset,
      x.shape[0]!,
      x.shape[1]!,
      x.shape[2]!,
      x.shape[3]!,
      -a.top,
      -a.left,
      a.kH,
      a.kW,
      a.strideH,
      a.strideW,
      output.shape[1]!,
      output.shape[2]!,
    ),
  batch: 'rows',
  vjp: [(g, _, [x], a) => apply(maxPool2dSpreadOperation, [x, g], a)],
})

/** The place of the first largest, or of the first NaN. */
function firstLargest(x: Values, places: readonly number[]): number {
  const values = places.map((place) => x.values[place]!)
  const nan = values.findIndex(Number.isNaN)
  return places[nan >= 0 ? nan : values.indexOf(Math.max(...values))]!
}

export const maxPool2dSpreadOperation: Operation<Pool, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Pool,
  [Tensor, Tensor]
>({
  name: 'maxPool2dSpread',
  doc: 'zeros, with each cotangent added to the place of the first largest of its window',
  shape: ([x, g], a) => {
    const expected = pooledShape('maxPool2dSpread', x!.shape, a)
    if (!sameShape(expected, g!.shape)) {
      failRange(
        'maxPool2dSpread',
        `images ${showShape(x!.shape)} give ${showShape(expected)}, got a cotangent ${showShape(g!.shape)}`,
      )
    }
    return x!.shape
  },
  reference: ([x, g], a) => {
    const result = new Float64Array(x!.values.length)
    forEachWindow(x!.shape, g!.shape, a, (places, at) => {
      result[firstLargest(x!, places)]! += g!.values[at]!
    })
    return result
  },
  kernel: (output, [x, g], a) => places(x, g, output, g, a, 1),
  batch: 'rows',
  vjp: [null, (v, _, [x], a) => apply(maxPool2dPickOperation, [x, v], a)],
})

export const maxPool2dPickOperation: Operation<Pool, [Tensor, Tensor]> = /*@__PURE__*/ defineOperation<
  Pool,
  [Tensor, Tensor]
>({
  name: 'maxPool2dPick',
  doc: 'of other images, what lies at the place of the first largest of each window',
  shape: ([x, other], a) => {
    if (!sameShape(x!.shape, other!.shape)) {
      failRange(
        'maxPool2dPick',
        `both must have one shape, got ${showShape(x!.shape)} and ${showShape(other!.shape)}`,
      )
    }
    return pooledShape('maxPool2dPick', x!.shape, a)
  },
  reference: ([x, other], a, shape) => {
    const result = new Float64Array(sizeOf(shape))
    forEachWindow(x!.shape, shape, a, (places, at) => {
      result[at] = other!.values[firstLargest(x!, places)]!
    })
    return result
  },
  kernel: (output, [x, other], a) => places(x, other, output, output, a, 0),
  batch: 'rows',
  vjp: [null, (g, _, [x], a) => apply(maxPool2dSpreadOperation, [x, g], a)],
})

function places(x: Tensor, other: Tensor, output: Tensor, pooled: Tensor, a: Pool, spreads: 0 | 1): void {
  convolutionKernels().maxPoolPlaces(
    x.offset,
    other.offset,
    output.offset,
    x.shape[0]!,
    x.shape[1]!,
    x.shape[2]!,
    x.shape[3]!,
    -a.top,
    -a.left,
    a.kH,
    a.kW,
    a.strideH,
    a.strideW,
    pooled.shape[1]!,
    pooled.shape[2]!,
    spreads,
  )
}

/**
 * The largest of each window, channel by channel; NaN where a window holds one. Around the image there is nothing: padding never
 * wins, as if it were -Infinity. Where several are largest the gradient goes to the first, in rows and then columns; of NaNs
 * to the first of them.
 *
 * @param x `[batch, height, width, channels]`
 * @param size of the windows: a number or [height, width]
 * @param options.stride how far apart windows are; `size` by default
 * @param options.padding 'valid' (none, the default), 'same', or how much: for all sides, [height, width], or
 * [[top, bottom], [left, right]], smaller than the window
 * @returns `[batch, rows, columns, channels]`
 * @throws RangeError when a window does not fit, or might lie in the padding alone, or a number is out of range
 * @example
 * const x = t.reshape(t.arange(16), [1, 4, 4, 1])
 * t.reshape(t.maxPool2d(x, 2), [2, 2]).toArray() // => [[5, 7], [13, 15]]
 */
export function maxPool2d(x: Tensor, size: PerAxis, options: PoolOptions = {}): Tensor {
  const from = tensorOperand('maxPool2d', x)
  return apply(maxPool2dOperation, [from], resolvePool('maxPool2d', from.shape, size, options))
}

/**
 * Zeros of x's shape, with each cotangent added to the place of the first largest of its window: the gradient of `maxPool2d`.
 *
 * @param x the images
 * @param cotangent the shape that `maxPool2d` gave
 * @param size @param options those of `maxPool2d`
 * @returns the shape of `x`
 * @throws RangeError when `maxPool2d` does not give the cotangent's shape
 * @example
 * const x = t.tensor([[[[1], [3]], [[2], [0]]]])
 * t.maxPool2dSpread(x, t.full([1, 1, 1, 1], 5), 2).toArray() // => [[[[0], [5]], [[0], [0]]]]
 */
export function maxPool2dSpread(
  x: Tensor,
  cotangent: Tensor,
  size: PerAxis,
  options: PoolOptions = {},
): Tensor {
  const from = tensorOperand('maxPool2dSpread', x)
  const g = tensorOperand('maxPool2dSpread', cotangent)
  return apply(maxPool2dSpreadOperation, [from, g], resolvePool('maxPool2dSpread', from.shape, size, options))
}

/**
 * Of other images, what lies where the first largest of each window of `x` lies: the adjoint of `maxPool2dSpread`.
 *
 * @param x the images that windows are looked at in
 * @param other the same shape: what is taken
 * @param size @param options those of `maxPool2d`
 * @returns the shape that `maxPool2d` gives
 * @throws RangeError when the shapes differ
 * @example
 * const x = t.tensor([[[[1], [3]], [[2], [0]]]])
 * t.maxPool2dPick(x, t.tensor([[[[5], [6]], [[7], [8]]]]), 2).toArray() // => [[[[6]]]]
 */
export function maxPool2dPick(x: Tensor, other: Tensor, size: PerAxis, options: PoolOptions = {}): Tensor {
  const from = tensorOperand('maxPool2dPick', x)
  const values = tensorOperand('maxPool2dPick', other)
  return apply(
    maxPool2dPickOperation,
    [from, values],
    resolvePool('maxPool2dPick', from.shape, size, options),
  )
}

export const info: readonly OperationInfo[] = [
  {
    operation: maxPool2dOperation,
    sample: (draw) => {
      const { input, size, options } = poolSample(draw)
      return { shapes: [input], call: (x) => maxPool2d(x!, size, options) }
    },
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      {
        call: () => maxPool2d(zeros([4, 4, 1]), 2),
        kind: 'RangeError',
        message:
          'maxPool2d: images must be [batch, height, width, channels], got shape [4,4,1]; reshape to four axes, channels last',
      },
      {
        call: () => maxPool2d(zeros([1, 4, 4, 1]), 0),
        kind: 'RangeError',
        message: 'maxPool2d: size must be an integer from 1 on, or a pair of them, got 0',
      },
      {
        call: () => maxPool2d(zeros([1, 4, 4, 1]), 5),
        kind: 'RangeError',
        message:
          'maxPool2d: a window reaches over 5 rows, the padded input has 4; pad more, or use a smaller window or dilation',
      },
      {
        call: () => maxPool2d(zeros([1, 4, 4, 1]), 2, { padding: 2 }),
        kind: 'RangeError',
        message:
          'maxPool2d: padding must be smaller than the window [2,2], got [[2,2],[2,2]]; a window of padding alone has nothing to pool',
      },
      {
        call: () => maxPool2d(zeros([1, 4, 4, 1]), 2, { stride: ['1', 1] as never }),
        kind: 'TypeError',
        message: 'maxPool2d: stride must be an integer or a pair of them, got a string',
      },
    ],
  },
  {
    operation: maxPool2dSpreadOperation,
    sample: (draw) => {
      const { input, output, size, options } = poolSample(draw)
      return { shapes: [input, output], call: (x, g) => maxPool2dSpread(x!, g!, size, options) }
    },
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 9,
    // The largest are others among absolute values: magnitudes say nothing here.
    scale: ([, g]) =>
      Array.from(g!.values, Math.abs)
        .filter(Number.isFinite)
        .reduce((most, value) => Math.max(most, value), 0),
    errors: [
      {
        call: () => maxPool2dSpread(zeros([1, 4, 4, 1]), zeros([1, 1, 2, 1]), 2),
        kind: 'RangeError',
        message: 'maxPool2dSpread: images [1,4,4,1] give [1,2,2,1], got a cotangent [1,1,2,1]',
      },
    ],
  },
  {
    operation: maxPool2dPickOperation,
    sample: (draw) => {
      const { input, size, options } = poolSample(draw)
      return { shapes: [input, input], call: (x, other) => maxPool2dPick(x!, other!, size, options) }
    },
    domains: [{ low: -3, high: 3, distinct: true }],
    ulps: 0,
    errors: [
      {
        call: () => maxPool2dPick(zeros([1, 4, 4, 1]), zeros([1, 4, 4, 2]), 2),
        kind: 'RangeError',
        message: 'maxPool2dPick: both must have one shape, got [1,4,4,1] and [1,4,4,2]',
      },
    ],
  },
]
