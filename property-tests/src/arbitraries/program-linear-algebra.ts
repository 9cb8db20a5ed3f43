import * as t from '@tapeflow/autodiff'
import {
  type Caller,
  isRowed,
  type Known,
  last,
  magnitude,
  ofOne,
  pick,
  range,
  same,
  withZero,
} from './program-calls.ts'
import { call, literal } from './program-lines.ts'

const isMatrix = ({ shape }: Known): boolean => shape.length >= 2

function broadcasts(a: t.Shape, b: t.Shape): boolean {
  for (let i = 3; i <= Math.min(a.length, b.length); i++) {
    const [x, y] = [a[a.length - i]!, b[b.length - i]!]
    if (x !== y && x !== 1 && y !== 1) return false
  }
  return true
}

const offsetOf = (offset: number): readonly { offset: number }[] => (offset === 0 ? [] : [{ offset }])

/** How products, diagonals and sorting are called in random programs. */
export const linearAlgebraCallers: Readonly<Record<string, Caller>> = {
  argSort: ofOne(
    'argSort',
    isRowed,
    (_, shape) => range(0, Math.max(0, ...shape.map((size) => size - 1)), true),
    ({ shape }, draw) => {
      const axis = draw.integer(0, shape.length - 1)
      return draw.integer(0, 1) === 0 ? [{ axis }] : [{ axis, descending: true }]
    },
  ),
  diag: ofOne('diag', isMatrix, same, (_, draw) => offsetOf(draw.pick([0, 1, -1]))),
  diagEmbed: ofOne(
    'diagEmbed',
    (x) => isRowed(x) && last(x.shape) <= 5 && t.sizeOf(x.shape) <= 60,
    withZero,
    (_, draw) => offsetOf(draw.pick([0, 1, -1])),
  ),
  matmul: (pool, draw) => {
    const a = pick(pool, draw, isMatrix)
    if (a === null) return null
    const transposeA = draw.integer(0, 1) === 1
    const inner = a.shape[a.shape.length - (transposeA ? 2 : 1)]!
    // `a` itself always fits.
    const fits = ({ shape }: Known): boolean =>
      shape.length >= 2 && shape.slice(-2).includes(inner) && broadcasts(a.shape, shape)
    const b = pick(pool, draw, fits)!
    const [rows, columns] = b.shape.slice(-2)
    const transposeB = rows !== inner || (columns === inner && draw.integer(0, 1) === 1)
    const options = { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }) }
    const given = transposeA || transposeB ? [literal(options)] : []
    return {
      operands: [a, b],
      call: (left, right) => call('matmul', left, right, ...given),
      range: (left, right) => {
        const most = inner * magnitude(left) * magnitude(right)
        return range(-most, most)
      },
    }
  },
}
