import { failRange } from './fail.ts'
import { checkOptions } from './options.ts'
import { type Shape, showShape } from './shape.ts'
import {
  checkImages,
  checkPerAxis,
  countWindows,
  type Padding,
  type PerAxis,
  resolveWindows,
  type Windows,
} from './windows.ts'

/** How pooling windows slide over images. */
export interface PoolOptions {
  /** How far apart windows are; as far as they are wide by default. */
  readonly stride?: PerAxis
  readonly padding?: Padding
}

/** The same in numbers. */
export interface Pool extends Windows {
  readonly kH: number
  readonly kW: number
}

/** What `checkOptions` lets pass. */
export const poolOptions: readonly string[] = ['stride', 'padding']

/** The windows of pooling, from what a user says. */
export function resolvePool(
  operation: string,
  input: Shape,
  size: PerAxis,
  options: PoolOptions,
  names: readonly string[] = poolOptions,
): Pool {
  checkImages(operation, 'images', input)
  const taps = checkPerAxis(operation, 'size', size, 1)
  checkOptions(operation, options, names)
  const { stride = taps, padding = 'valid' } = options
  const windows = resolveWindows(operation, [input[1]!, input[2]!], taps, { stride, padding })
  return { ...windows, kH: taps[0], kW: taps[1] }
}

/** The shape of what comes out of pooling; every window must meet the image. */
export function pooledShape(operation: string, input: Shape, a: Pool): Shape {
  checkImages(operation, 'images', input)
  if (Math.max(a.top, a.bottom) >= a.kH || Math.max(a.left, a.right) >= a.kW) {
    failRange(
      operation,
      `padding must be smaller than the window ${showShape([a.kH, a.kW])}, got ${JSON.stringify([
        [a.top, a.bottom],
        [a.left, a.right],
      ])}`,
      'a window of padding alone has nothing to pool',
    )
  }
  const [height, width] = countWindows(operation, [input[1]!, input[2]!], [a.kH, a.kW], a)
  const isEmpty = input[1] === 0 || input[2] === 0
  return [input[0]!, isEmpty ? 0 : height, isEmpty ? 0 : width, input[3]!]
}

/** Calls `visit` for each window, in float64 references: places in the input that it holds, and its own in the output. */
export function forEachWindow(
  input: Shape,
  output: Shape,
  a: Pool,
  visit: (places: readonly number[], at: number) => void,
): void {
  const [images, inH, inW, channels] = input as [number, number, number, number]
  const [, outH, outW] = output as [number, number, number, number]
  let at = 0
  for (let n = 0; n < images; n++) {
    for (let y = 0; y < outH; y++) {
      for (let x = 0; x < outW; x++) {
        for (let c = 0; c < channels; c++) {
          const places: number[] = []
          for (let i = 0; i < a.kH; i++) {
            for (let j = 0; j < a.kW; j++) {
              const row = y * a.strideH + i - a.top
              const column = x * a.strideW + j - a.left
              if (row < 0 || row >= inH || column < 0 || column >= inW) continue
              places.push(((n * inH + row) * inW + column) * channels + c)
            }
          }
          visit(places, at++)
        }
      }
    }
  }
}
