import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import {
  type Caller,
  type Known,
  magnitude,
  type Operand,
  pick,
  type Range,
  range,
  same,
  withZero,
} from './program-calls.ts'
import { call, type Literal, literal } from './program-lines.ts'

/** Images with pixels that are not too many to convolve. */
const isImages = ({ shape }: Known): boolean =>
  shape.length === 4 && shape[1]! > 0 && shape[2]! > 0 && t.sizeOf(shape) <= 400

/** Images of the pool, or any tensor under a shape of four axes. */
function images(pool: Parameters<Caller>[0], draw: Draw): Operand | null {
  const found = pick(pool, draw, isImages)
  if (found !== null) return found
  const x = pick(pool, draw, ({ shape }) => t.sizeOf(shape) > 0 && t.sizeOf(shape) <= 400)
  if (x === null) return null
  const size = t.sizeOf(x.shape)
  const across = draw.pick([1, 2, 3].filter((divisor) => size % divisor === 0))
  const shape = draw.pick([
    [1, across, size / across, 1],
    [1, size / across, 1, across],
    [1, size / across, across, 1],
  ])
  return { ...x, shape, argument: call('reshape', x.argument, literal(shape)) }
}

/** A tensor made on the spot, of numbers from -1 to 1. */
function made(shape: t.Shape, draw: Draw): Operand {
  const first = draw.integer(0, 9)
  const values = Array.from({ length: t.sizeOf(shape) }, (_, i) => (((first + 7 * i) % 9) - 4) / 4)
  return { ...range(-1, 1), shape, argument: call('tensor', literal(values), literal(shape)) }
}

const product =
  (terms: number) =>
  (a: Range, b: Range = range(-1, 1)): Range =>
    range(-terms * magnitude(a) * magnitude(b), terms * magnitude(a) * magnitude(b))

const optionsOf = (draw: Draw): t.ConvolutionOptions => ({
  stride: draw.integer(1, 2),
  padding: draw.pick([
    'same',
    1,
    [
      [0, 1],
      [2, 0],
    ],
  ] as const),
})

const tapsOf = (draw: Draw): readonly [number, number] => [draw.integer(1, 2), draw.integer(1, 2)]

/** A convolution's parts: images, a filter's shape, options, and the shape that comes out. */
function convolution(
  pool: Parameters<Caller>[0],
  draw: Draw,
): { x: Operand; filter: t.Shape; options: t.ConvolutionOptions; output: t.Shape } | null {
  const x = images(pool, draw)
  if (x === null) return null
  const channels = x.shape[3]!
  const isDepthwise = channels > 0 && draw.integer(0, 1) === 1
  const filter = isDepthwise
    ? [...tapsOf(draw), 1, channels]
    : [...tapsOf(draw), channels, draw.integer(1, 3)]
  const options = { ...optionsOf(draw), ...(isDepthwise && { groups: channels }) }
  return {
    x,
    filter,
    options,
    output: t.evalShape((a: t.Tensor, b: t.Tensor) => t.conv2d(a, b, options), x.shape, filter),
  }
}

// Means of whole numbers are not whole.
const mean = ({ low, high }: Range): Range => range(low, high)

const pooling =
  (name: 'maxPool2d' | 'avgPool2d', result: (x: Range) => Range): Caller =>
  (pool, draw) => {
    const x = images(pool, draw)
    if (x === null) return null
    const given = [draw.integer(1, 2), { stride: draw.integer(1, 2), padding: 'same' }].map((one) =>
      literal(one as Literal),
    )
    return { operands: [x], call: (argument) => call(name, argument, ...given), range: result }
  }

/** How convolutions and poolings are called in random programs. */
export const convolutions: Readonly<Record<string, Caller>> = {
  conv2d: (pool, draw) => {
    const drawn = convolution(pool, draw)
    if (drawn === null) return null
    const { x, filter, options } = drawn
    const weights = pick(pool, draw, ({ shape }) => t.sameShape(shape, filter)) ?? made(filter, draw)
    return {
      operands: [x],
      call: (argument) => call('conv2d', argument, weights.argument, literal(options as Literal)),
      range: (own) => product(t.sizeOf(filter))(own, weights),
    }
  },
  conv2dInputGradient: (pool, draw) => {
    const drawn = convolution(pool, draw)
    if (drawn === null) return null
    const { x, filter, options, output } = drawn
    const g = pick(pool, draw, ({ shape }) => t.sameShape(shape, output)) ?? made(output, draw)
    const weights = made(filter, draw)
    const given = [x.shape.slice(1, 3), options].map((one) => literal(one as Literal))
    return {
      operands: [g],
      call: (argument) => call('conv2dInputGradient', argument, weights.argument, ...given),
      range: product(t.sizeOf(filter)),
    }
  },
  conv2dFilterGradient: (pool, draw) => {
    const drawn = convolution(pool, draw)
    if (drawn === null) return null
    const { x, filter, options, output } = drawn
    const g = pick(pool, draw, ({ shape }) => t.sameShape(shape, output)) ?? made(output, draw)
    const given = [filter.slice(0, 2), options].map((one) => literal(one as Literal))
    return {
      operands: [x],
      call: (argument) => call('conv2dFilterGradient', argument, g.argument, ...given),
      range: (own) => product(t.sizeOf(output))(own, g),
    }
  },
  maxPool2d: pooling('maxPool2d', same),
  maxPool2dSpread: (pool, draw) => {
    const x = images(pool, draw)
    if (x === null) return null
    const output = t.evalShape((a: t.Tensor) => t.maxPool2d(a, 2, { padding: 'same' }), x.shape)
    const g = pick(pool, draw, ({ shape }) => t.sameShape(shape, output)) ?? made(output, draw)
    return {
      operands: [x],
      call: (argument) =>
        call('maxPool2dSpread', argument, g.argument, literal(2), literal({ padding: 'same' })),
      range: () => withZero(g),
    }
  },
  maxPool2dPick: (pool, draw) => {
    const x = images(pool, draw)
    if (x === null) return null
    const other = pick(pool, draw, ({ shape }) => t.sameShape(shape, x.shape)) ?? made(x.shape, draw)
    return {
      operands: [x],
      call: (argument) =>
        call('maxPool2dPick', argument, other.argument, literal(2), literal({ padding: 'same' })),
      range: () => other,
    }
  },
  avgPool2d: pooling('avgPool2d', mean),
  avgPool2dSpread: (pool, draw) => {
    const g = images(pool, draw)
    if (g === null) return null
    const size = [2 * g.shape[1]!, 2 * g.shape[2]!]
    return {
      operands: [g],
      call: (argument) => call('avgPool2dSpread', argument, literal(2), literal(size)),
      range: (own) => withZero(mean(own)),
    }
  },
}
