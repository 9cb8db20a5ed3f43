import type { Shape } from '@tapeflow/autodiff'
import type { LayerRow } from './layer-row.ts'

type Definition = NonNullable<LayerRow['reference']>
type Pair = readonly [height: number, width: number]

/** How windows slide; for sequences the height is 1. */
export interface Sliding {
  readonly stride?: Pair
  readonly dilation?: Pair
  /** Zeros around, or as many windows as pixels / stride with the odd zero behind. */
  readonly padding?: 'same' | readonly [Pair, Pair]
  readonly groups?: number
}

type Filter = readonly (readonly (readonly (readonly number[])[])[])[]

interface Places {
  readonly count: number
  /** Which pixel lies under tap `tap` of window `window`: it may lie outside. */
  under(window: number, tap: number): number
}

function places(size: number, taps: number, axis: 0 | 1, sliding: Sliding): Places {
  const stride = sliding.stride?.[axis] ?? 1
  const dilation = sliding.dilation?.[axis] ?? 1
  const {
    padding = [
      [0, 0],
      [0, 0],
    ],
  } = sliding
  const reach = dilation * (taps - 1) + 1
  let [before, count] = [0, Math.ceil(size / stride)]
  if (padding === 'same') before = Math.floor(Math.max(0, (count - 1) * stride + reach - size) / 2)
  else {
    before = padding[axis][0]
    count = Math.floor((size + before + padding[axis][1] - reach) / stride) + 1
  }
  return { count, under: (window, tap) => stride * window + dilation * tap - before }
}

/** Rows, height, width and channels: a sequence is an image one row high. */
function asImages(shape: Shape): readonly [number, number, number, number] {
  const [rows, ...sample] = shape
  const [height, width, channels] = sample.length === 2 ? [1, ...sample] : sample
  return [rows!, height!, width!, channels!]
}

/** Pixels by their places; undefined outside. */
function reader(x: readonly number[], shape: Shape): (...at: readonly number[]) => number | undefined {
  const [, height, width, channels] = asImages(shape)
  return (n, i, j, c) =>
    i! < 0 || i! >= height || j! < 0 || j! >= width
      ? undefined
      : x[((n! * height + i!) * width + j!) * channels + c!]
}

/** An element for each place of a shape, in row-major order. */
function elements(shape: Shape, element: (...at: number[]) => number, at: number[] = []): number[] {
  if (at.length === shape.length) return [element(...at)]
  return Array.from({ length: shape[at.length]! }, (_, i) => elements(shape, element, [...at, i])).flat()
}

function convolve(
  filter: Filter,
  sliding: Sliding,
  x: readonly number[],
  shape: Shape,
): { readonly shape: Shape; readonly values: readonly number[] } {
  const [rows, height, width] = asImages(shape)
  const read = reader(x, shape)
  const down = places(height, filter.length, 0, sliding)
  const across = places(width, filter[0]!.length, 1, sliding)
  const [each, out] = [filter[0]![0]!.length, filter[0]![0]![0]!.length]
  const inGroup = out / (sliding.groups ?? 1)
  const made = [rows, down.count, across.count, out]
  const values = elements(made, (n, i, j, o) => {
    const first = Math.floor(o! / inGroup) * each
    let sum = 0
    for (const [r, line] of filter.entries()) {
      for (const [s, tap] of line.entries()) {
        for (const [c, weights] of tap.entries()) {
          sum += weights[o!]! * (read(n!, down.under(i!, r), across.under(j!, s), first + c) ?? 0)
        }
      }
    }
    return sum
  })
  return { shape: made, values }
}

const plus = (values: readonly number[], bias: readonly number[] | undefined): readonly number[] =>
  bias === undefined ? values : values.map((value, i) => value + bias[i % bias.length]!)

/** y = b + sum over windows and channels of x W; sequences have a filter [length, channels / groups, outChannels]. */
export function convolved(sliding: Sliding = {}): Definition {
  return (params, x, shape) => {
    const { weight, bias } = params as { weight: Filter; bias?: readonly number[] }
    const filter = shape.length === 3 ? ([weight] as unknown as Filter) : weight
    return plus(convolve(filter, sliding, x, shape).values, bias)
  }
}

/** Filters of single channels, then a mixture of what they give, pixel by pixel. */
export function separated(sliding: Sliding = {}): Definition {
  return (params, x, shape) => {
    const { depthwise, pointwise, bias } = params as {
      depthwise: Filter
      pointwise: readonly (readonly number[])[]
      bias?: readonly number[]
    }
    const groups = shape[shape.length - 1]!
    const between = convolve(depthwise, { ...sliding, groups }, x, shape)
    return plus(convolve([[pointwise]], {}, between.values, between.shape).values, bias)
  }
}

/** Each pixel times the filter, added up `stride` apart into images of the given size. */
export function spread(size: Pair, sliding: Sliding = {}): Definition {
  return (params, x, shape) => {
    const { weight, bias } = params as { weight: Filter; bias?: readonly number[] }
    const [rows, height, width, channels] = asImages(shape)
    const groups = sliding.groups ?? 1
    const each = weight[0]![0]!.length
    const down = places(size[0], weight.length, 0, sliding)
    const across = places(size[1], weight[0]!.length, 1, sliding)
    const made = [rows, ...size, each * groups]
    const sums = elements(made, () => 0)
    const read = reader(x, shape)
    elements(
      [rows, height, width, channels, weight.length, weight[0]!.length, each],
      (n, i, j, c, r, s, o) => {
        const [row, column] = [down.under(i!, r!), across.under(j!, s!)]
        if (row < 0 || row >= size[0] || column < 0 || column >= size[1]) return 0
        const channel = Math.floor(c! / (channels / groups)) * each + o!
        const at = ((n! * size[0] + row) * size[1] + column) * each * groups + channel
        sums[at] = sums[at]! + read(n!, i!, j!, c!)! * weight[r!]![s!]![o!]![c!]!
        return 0
      },
    )
    return plus(sums, bias)
  }
}

/** What `reduce` makes of the pixels of each window that lie inside, channel by channel. */
export function pooled(
  size: Pair,
  sliding: Sliding,
  reduce: (inside: readonly number[]) => number,
): Definition {
  return (_, x, shape) => {
    const [rows, height, width, channels] = asImages(shape)
    const windows = { stride: size, ...sliding }
    const down = places(height, size[0], 0, windows)
    const across = places(width, size[1], 1, windows)
    const read = reader(x, shape)
    return elements([rows, down.count, across.count, channels], (n, i, j, c) => {
      const window = elements(
        size,
        (r, s) => read(n!, down.under(i!, r!), across.under(j!, s!), c!) ?? Number.NaN,
      )
      return reduce(window.filter((value) => !Number.isNaN(value)))
    })
  }
}
