import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import { type Described, indexAt, type Read, sumOf } from './described.ts'

/** Where windows lie along an axis: how many there are, and how far the first one reaches out in front. */
interface Windows {
  readonly count: number
  readonly before: number
}

/** As TensorFlow has it: of an odd number that is padded the one more goes behind. */
function windows(size: number, span: number, stride: number, padding: 'same' | number): Windows {
  if (padding !== 'same')
    return { count: Math.floor((size + 2 * padding - span) / stride) + 1, before: padding }
  const count = Math.ceil(size / stride)
  return { count, before: Math.floor(Math.max(0, (count - 1) * stride + span - size) / 2) }
}

interface Layout {
  readonly size: readonly [number, number]
  readonly taps: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly padding: 'same' | 0 | 1
  readonly channels: number
  /** The shape of the images, and what each tap of a window falls on, null outside. */
  readonly images: t.Shape
  readonly counts: readonly number[]
  onto(row: number, column: number, tap: number): readonly [number, number] | null
}

function layout(draw: Draw, most: number): Layout {
  const two = (low: number, high: number): [number, number] => [
    draw.integer(low, high),
    draw.integer(low, high),
  ]
  const [taps, stride, dilation] = [two(1, 3), two(1, 3), two(1, most)]
  const padding =
    taps[0] > 1 && taps[1] > 1 ? draw.pick(['same', 0, 1] as const) : draw.pick(['same', 0] as const)
  const span = taps.map((count, k) => (count - 1) * dilation[k]! + 1)
  const size: [number, number] = [span[0]! + draw.integer(0, 4), span[1]! + draw.integer(0, 4)]
  const along = size.map((own, k) => windows(own, span[k]!, stride[k]!, padding))
  const channels = draw.integer(1, 5)
  const onto: Layout['onto'] = (row, column, tap) => {
    const inside = indexAt(taps, tap)
    const at = [row, column].map((i, k) => i * stride[k]! - along[k]!.before + inside[k]! * dilation[k]!)
    return at.every((i, k) => i >= 0 && i < size[k]!) ? [at[0]!, at[1]!] : null
  }
  const images = [2, ...size, channels]
  return {
    size,
    taps,
    stride,
    dilation,
    padding,
    channels,
    images,
    counts: along.map(({ count }) => count),
    onto,
  }
}

const pixels = ({ taps, onto }: Layout, row: number, column: number): (readonly [number, number])[] =>
  Array.from({ length: taps[0] * taps[1] }, (_, tap) => onto(row, column, tap)).filter((at) => at !== null)

/** Convolutions and pools: what falls into a window, element by element. */
export const windowed: Readonly<Record<string, (draw: Draw) => Described>> = {
  'conv2d, described': (draw) => {
    const drawn = layout(draw, 2)
    const { taps, stride, dilation, padding, channels, onto } = drawn
    const out = draw.integer(1, 5)
    const at = (read: Read, [i, row, column, k]: readonly number[]): number =>
      sumOf(taps[0] * taps[1], (tap) => {
        const pixel = onto(row!, column!, tap)
        if (pixel === null) return 0
        return sumOf(channels, (c) => read(0, i!, ...pixel, c) * read(1, ...indexAt(taps, tap), c, k!))
      })
    return {
      shapes: [drawn.images, [...taps, channels, out]],
      call: (x, filter) => [t.conv2d(x!, filter!, { stride, dilation, padding })],
      expected: [{ shape: [2, ...drawn.counts, out], at }],
    }
  },
  'maxPool2d, described': (draw) => {
    const drawn = layout(draw, 1)
    const { taps, stride, padding, channels } = drawn
    const at = (read: Read, [i, row, column, k]: readonly number[]): number =>
      Math.max(...pixels(drawn, row!, column!).map((pixel) => read(0, i!, ...pixel, k!)))
    const call = (x: t.Tensor | undefined): t.Tensor[] => [t.maxPool2d(x!, taps, { stride, padding })]
    return { shapes: [drawn.images], call, expected: [{ shape: [2, ...drawn.counts, channels], at }] }
  },
  'avgPool2d, described': (draw) => {
    const drawn = layout(draw, 1)
    const { taps, stride, padding, channels } = drawn
    const at = (read: Read, [i, row, column, k]: readonly number[]): number => {
      const inside = pixels(drawn, row!, column!)
      return sumOf(inside.length, (p) => read(0, i!, ...inside[p]!, k!)) / inside.length
    }
    const call = (x: t.Tensor | undefined): t.Tensor[] => [t.avgPool2d(x!, taps, { stride, padding })]
    return { shapes: [drawn.images], call, expected: [{ shape: [2, ...drawn.counts, channels], at }] }
  },
}
