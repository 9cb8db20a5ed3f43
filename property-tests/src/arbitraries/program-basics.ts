import type * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import {
  always,
  type Caller,
  isRowed,
  magnitude,
  type Operand,
  ofOne,
  pick,
  type Range,
  range,
  reduction,
  same,
} from './program-calls.ts'
import { call, type Literal, literal } from './program-lines.ts'

const longest = (shape: t.Shape): number => Math.max(...shape, 1)

const along = ({ shape }: Operand, draw: Draw): readonly Literal[] => {
  const axis = draw.integer(0, shape.length - 1)
  return axis === shape.length - 1 ? [] : [{ axis }]
}

const prefix = (x: Operand, draw: Draw): readonly Literal[] => {
  const axis = draw.integer(0, x.shape.length - 1)
  return [{ axis, exclusive: draw.integer(0, 1) === 1, reverse: draw.integer(0, 1) === 1 }]
}

/** Where products of up to `count` factors lie. */
const powers = (x: Range, count: number): Range => {
  const most = Math.max(1, magnitude(x)) ** count
  return range(-most, most)
}

/** Rounding, clipping, reductions and what goes along one axis, as random programs call them. */
export const basics: Readonly<Record<string, Caller>> = {
  argMin: ofOne(
    'argMin',
    ({ shape }) => shape.some((size) => size > 0),
    (_, shape) => range(0, longest(shape) - 1, true),
    ({ shape }, draw) => [{ axis: draw.pick([...shape.keys()].filter((axis) => shape[axis]! > 0)) }],
  ),
  clip: ofOne(
    'clip',
    always,
    ({ low, high, integer }) => range(Math.max(-1, low), Math.max(-1, high), integer),
    (_, draw) => draw.pick([[-1, 2], [-1]]),
  ),
  cumProd: ofOne('cumProd', isRowed, (x, shape) => powers(x, longest(shape)), prefix),
  cumSum: ofOne(
    'cumSum',
    isRowed,
    (x, shape) => range(-magnitude(x) * longest(shape), magnitude(x) * longest(shape), x.integer),
    prefix,
  ),
  linearRecurrence: (pool, draw) => {
    const x = pick(pool, draw, isRowed)
    if (x === null) return null
    const options = { axis: draw.integer(0, x.shape.length - 1), reverse: draw.integer(0, 1) === 1 }
    return {
      operands: [x],
      call: (own) => call('linearRecurrence', own, call('tanh', own), literal(options)),
      range: (own) => range(-magnitude(own) * longest(x.shape), magnitude(own) * longest(x.shape)),
    }
  },
  logSoftmax: ofOne(
    'logSoftmax',
    isRowed,
    ({ low, high }, shape) => range(low - high - Math.log(longest(shape) + 1), 0),
    along,
  ),
  logSumExp: ofOne(
    'logSumExp',
    isRowed,
    ({ low, high }, shape) => range(low, high + shape.length * Math.log(longest(shape))),
    (x, draw) => (draw.integer(0, 1) === 0 ? [] : reduction(1)(x, draw)),
  ),
  min: ofOne('min', always, same, reduction(1)),
  norm: ofOne(
    'norm',
    always,
    (x, shape) => range(0, magnitude(x) * longest(shape) ** (shape.length / 2)),
    reduction(0),
  ),
  prod: ofOne('prod', always, (x, shape) => powers(x, longest(shape) ** shape.length), reduction(0)),
  softmax: ofOne('softmax', isRowed, () => range(0, 1), along),
  std: ofOne('std', always, (x) => range(0, magnitude(x)), reduction(1)),
  variance: ofOne('variance', always, (x) => range(0, magnitude(x) ** 2), reduction(1)),
}
