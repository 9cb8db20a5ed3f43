import { failRange, failType, kindOf } from './fail.ts'
import { type Shape, showShape } from './shape.ts'

/** One number for height and width, or a pair of them. */
export type PerAxis = number | readonly [height: number, width: number]

/** How many zeros around: for height and width each a number, or how many before and after. */
export type Padding =
  | 'valid'
  | 'same'
  | number
  | readonly [
      height: number | readonly [before: number, after: number],
      width: number | readonly [before: number, after: number],
    ]

/** How windows slide over images: all that a convolution or pooling says, in numbers. */
export interface Windows {
  readonly strideH: number
  readonly strideW: number
  readonly dilationH: number
  readonly dilationW: number
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

/** What users say of windows. */
export interface WindowOptions {
  readonly stride?: PerAxis
  readonly padding?: Padding
  readonly dilation?: PerAxis
}

/** Checks that a shape is that of images. */
export function checkImages(operation: string, name: string, shape: Shape): void {
  if (shape.length !== 4) {
    failRange(
      operation,
      `${name} must be [batch, height, width, channels], got shape ${showShape(shape)}`,
      'reshape to four axes, channels last',
    )
  }
}

/** A size for height and one for width, from a number or a pair: integers from `least` on. */
export function checkPerAxis(
  operation: string,
  name: string,
  value: unknown,
  least: number,
): readonly [number, number] {
  // As nearly always.
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return [value, value]
  const pair: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value, value]
  for (const one of pair) {
    if (one !== undefined && typeof one !== 'number')
      failType(
        operation,
        `${name} must be an integer or a pair of them, got ${kindOf(Array.isArray(value) ? one : value)}`,
      )
  }
  if (pair.length !== 2 || !pair.every((one) => Number.isInteger(one) && (one as number) >= least)) {
    const got = Array.isArray(value) ? `[${pair.join(',')}]` : String(value)
    failRange(operation, `${name} must be an integer from ${least} on, or a pair of them, got ${got}`)
  }
  return [pair[0] as number, pair[1] as number]
}

/** The numbers behind the options, for windows of `taps` over images of `size`, both [height, width]. */
export function resolveWindows(
  operation: string,
  size: readonly [number, number],
  taps: readonly [number, number],
  options: WindowOptions,
): Windows {
  const { stride = 1, dilation = 1 } = options
  const [strideH, strideW] = checkPerAxis(operation, 'stride', stride, 1)
  const [dilationH, dilationW] = checkPerAxis(operation, 'dilation', dilation, 1)
  const padding = checkPadding(operation, options.padding)
  const [top, bottom] = padding === 'same' ? same(size[0], taps[0], strideH, dilationH) : padding[0]
  const [left, right] = padding === 'same' ? same(size[1], taps[1], strideW, dilationW) : padding[1]
  return { strideH, strideW, dilationH, dilationW, top, bottom, left, right }
}

/** The padding in numbers, or 'same', which depends on the size. */
export function checkPadding(
  operation: string,
  padding: unknown = 'valid',
): 'same' | readonly [readonly [number, number], readonly [number, number]] {
  if (padding === 'same') return padding
  if (padding === 'valid') return nothing
  if (typeof padding === 'number') {
    const [all] = checkPerAxis(operation, 'padding', padding, 0)
    return [
      [all, all],
      [all, all],
    ]
  }
  if (typeof padding === 'string')
    failRange(operation, `padding must be 'valid', 'same' or numbers, got '${padding}'`)
  if (!Array.isArray(padding) || padding.length !== 2) {
    const got = Array.isArray(padding) ? `an array of ${padding.length}` : kindOf(padding)
    failType(
      operation,
      `padding must be 'valid', 'same', a number or a pair, got ${got}`,
      'write [[top, bottom], [left, right]]',
    )
  }
  return [
    checkPerAxis(operation, 'padding', padding[0], 0),
    checkPerAxis(operation, 'padding', padding[1], 0),
  ]
}

const nothing: readonly [readonly [number, number], readonly [number, number]] = [
  [0, 0],
  [0, 0],
]

// Of an odd number the one more goes behind, as TensorFlow has it.
function same(size: number, taps: number, stride: number, dilation: number): readonly [number, number] {
  const count = Math.ceil(size / stride)
  const total = Math.max(0, (count - 1) * stride + reach(taps, dilation) - size)
  const before = Math.floor(total / 2)
  return [before, total - before]
}

/** How far a window reaches. */
export function reach(taps: number, dilation: number): number {
  return (taps - 1) * dilation + 1
}

/** How many windows fit along an axis. */
export function windowCount(
  operation: string,
  what: string,
  size: number,
  padding: number,
  taps: number,
  dilation: number,
  stride: number,
): number {
  const length = reach(taps, dilation)
  if (length > size + padding && size > 0) {
    failRange(
      operation,
      `a window reaches over ${length} ${what}, the padded input has ${size + padding}`,
      'pad more, or use a smaller window or dilation',
    )
  }
  return Math.max(0, Math.floor((size + padding - length) / stride) + 1)
}

/** [height, width] of what comes out. */
export function countWindows(
  operation: string,
  size: readonly [number, number],
  taps: readonly [number, number],
  w: Windows,
): readonly [number, number] {
  return [
    windowCount(operation, 'rows', size[0], w.top + w.bottom, taps[0], w.dilationH, w.strideH),
    windowCount(operation, 'columns', size[1], w.left + w.right, taps[1], w.dilationW, w.strideW),
  ]
}
