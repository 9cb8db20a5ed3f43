import type { Draw } from '@tapeflow/autodiff/testing'
import {
  always,
  type Caller,
  constantIndices,
  isRowed,
  ofOne,
  pick,
  same,
  withZero,
} from './program-calls.ts'
import { call, literal } from './program-lines.ts'

const someAxes = (shape: readonly number[], draw: Draw): readonly number[] =>
  [...shape.keys()].filter(() => draw.integer(0, 1) === 1)

/** Callers of operations that move or copy elements. */
export const shapeCallers: Readonly<Record<string, Caller>> = {
  flip: ofOne('flip', always, same, ({ shape }, draw) => [{ axis: someAxes(shape, draw) }]),
  pad: ofOne('pad', always, withZero, ({ shape }, draw) => {
    const widths = shape.map(() => [draw.integer(0, 2), draw.integer(0, 1)])
    return shape.includes(0) || draw.integer(0, 1) === 0 ? [widths] : [widths, { mode: 'edge' }]
  }),
  roll: ofOne('roll', always, same, ({ shape }, draw) => {
    const shift = draw.pick([1, -2, 5])
    return draw.integer(0, 1) === 0 ? [shift] : [shift, { axis: someAxes(shape, draw) }]
  }),
  takeAlongAxis: (pool, draw) => {
    const x = pick(pool, draw, (known) => isRowed(known) && !known.shape.includes(0))
    if (x === null) return null
    const axis = draw.integer(0, x.shape.length - 1)
    const size = draw.pick([1, 3, 2])
    const shape = x.shape.map((own, i) => (i === axis ? size : draw.pick([1, own])))
    const indices = constantIndices(shape, x.shape[axis]!, draw)
    return {
      operands: [x],
      call: (of) => call('takeAlongAxis', of, indices.argument, literal({ axis })),
      range: same,
    }
  },
}
