import * as t from '@tapeflow/autodiff'
import { type Draw, type OperationInfo, operations } from '@tapeflow/autodiff/testing'
import { drawFrom } from './draws.ts'
import { basics } from './program-basics.ts'
import {
  always,
  type Caller,
  constantIndices,
  indicesBelow,
  isRowed,
  type Known,
  meanRange,
  type Operand,
  ofOne,
  operandOf,
  type Pool,
  pick,
  type Range,
  range,
  reduction,
  same,
  times,
  withZero,
} from './program-calls.ts'
import { convolutions } from './program-convolutions.ts'
import { fused } from './program-fused.ts'
import { linearAlgebraCallers } from './program-linear-algebra.ts'
import { call, type Literal, literal } from './program-lines.ts'
import { shapeCallers } from './program-shapes.ts'

// Operations that are not elementwise, or take something else than tensors. A new one of these kinds is added here.
const structured: Readonly<Record<string, Caller>> = {
  ...fused,
  ...convolutions,
  ...basics,
  ...linearAlgebraCallers,
  ...shapeCallers,
  argMax: ofOne(
    'argMax',
    ({ shape }) => shape.some((size) => size > 0),
    (_, shape) => range(0, Math.max(...shape) - 1, true),
    ({ shape }, draw) => [{ axis: draw.pick([...shape.keys()].filter((axis) => shape[axis]! > 0)) }],
  ),
  broadcastTo: ofOne('broadcastTo', always, same, ({ shape }, draw) => {
    const stretched = shape.map((size) => (size === 1 ? draw.pick([1, 3, 5]) : size))
    return [draw.integer(0, 1) === 0 ? [draw.pick([2, 1, 3, 0]), ...stretched] : stretched]
  }),
  concat: (pool, draw) => {
    const first = pick(pool, draw, isRowed)
    if (first === null) return null
    const axis = draw.integer(0, first.shape.length - 1)
    const fits = ({ shape }: Known): boolean =>
      shape.length === first.shape.length && shape.every((size, i) => i === axis || size === first.shape[i])
    const others = Array.from({ length: draw.integer(0, 2) }, () => pick(pool, draw, fits)!)
    const options = axis === 0 ? [] : [literal({ axis })]
    return {
      operands: [first, ...others],
      call: (...items) => call('concat', { kind: 'list', items }, ...options),
      range: (...all) =>
        range(
          Math.min(...all.map(({ low }) => low)),
          Math.max(...all.map(({ high }) => high)),
          all.every(({ integer }) => integer),
        ),
    }
  },
  gather: (pool, draw) => {
    const x = pick(pool, draw, isRowed)
    if (x === null) return null
    const axis = draw.pick([0, 0, x.shape.length - 1])
    const rows = x.shape[axis]!
    const shape = rows === 0 ? [0] : draw.pick([[2], [1], [3], [], [5], [2, 2], [0]])
    const indices = indicesBelow(rows, pool, draw, always) ?? constantIndices(shape, rows, draw)
    const options = axis === 0 ? [] : [literal({ axis })]
    return {
      operands: [x],
      call: (rowsOf) => call('gather', rowsOf, indices.argument, ...options),
      range: same,
    }
  },
  max: ofOne('max', always, same, reduction(1)),
  mean: ofOne('mean', always, meanRange, reduction(0)),
  oneHot: (pool, draw) => {
    const indices =
      indicesBelow(20, pool, draw, always) ?? constantIndices(draw.pick([[2], [], [3]]), 5, draw)
    const depth = indices.high + 1 + draw.integer(0, 2)
    return {
      operands: [],
      call: () => call('oneHot', indices.argument, literal(depth)),
      range: () => range(0, 1, true),
    }
  },
  reshape: ofOne('reshape', always, same, ({ shape }, draw) => {
    const [first = 1, ...rest] = shape
    const flat = shape.includes(0) ? t.sizeOf(shape) : -1
    const shapes = [[flat], [1, ...shape], shape.toReversed(), [...shape, 1], [...rest, first]]
    return [draw.pick<Literal>(shapes)]
  }),
  scatterAdd: (pool, draw) => {
    const x = pick(pool, draw, ({ shape }) => (shape[0] ?? 1) <= 33)
    if (x === null) return null
    const leads = ({ shape }: Known): boolean => t.sameShape(shape, x.shape.slice(0, shape.length))
    const indices =
      indicesBelow(20, pool, draw, leads) ?? constantIndices(x.shape.slice(0, draw.integer(0, 1)), 5, draw)
    const rows = indices.high + 1 + draw.integer(0, 2)
    return {
      operands: [x],
      call: (argument) => call('scatterAdd', argument, indices.argument, literal(rows)),
      range: (own) => withZero(times(own, t.sizeOf(indices.shape))),
    }
  },
  slice: ofOne('slice', isRowed, same, ({ shape }, draw) => {
    // Along the first axis it is a view, which is what there is to go wrong.
    const axes = draw.pick([1, 1, shape.length])
    const begin = shape.slice(0, axes).map((size) => draw.integer(0, Math.max(0, Math.min(3, size - 1))))
    const end = begin.map((from, axis) => {
      const size = shape[axis]!
      return draw.pick([size, Math.min(from + 1, size), Math.max(from, size - 1)])
    })
    return axes === 1 ? [begin[0]!, end[0]!] : [begin, end]
  }),
  stopGradient: ofOne('stopGradient', always, same),
  sum: ofOne('sum', always, (x, shape) => withZero(times(x, t.sizeOf(shape))), reduction(0)),
  transpose: ofOne('transpose', always, same, ({ shape }, draw) => {
    if (draw.integer(0, 1) === 0) return []
    const axes = [...shape.keys()]
    return [shape.map(() => axes.splice(draw.integer(0, axes.length - 1), 1)[0]!)]
  }),
}

/** How each operation of the package is called in random programs, by name. One that is missing needs a line above. */
export const callers: ReadonlyMap<string, Caller> = new Map(
  operations.flatMap((info) => {
    const { name } = info.operation
    const caller = structured[name] ?? elementwise(info)
    return caller === null ? [] : [[name, caller]]
  }),
)

/** An operation that is called with tensors alone, which broadcast, needs nothing said about it. */
function elementwise(info: OperationInfo): Caller | null {
  const { operation, sample } = info
  const { shapes, call: sampled } = sample(drawFrom([]))
  const functions: Readonly<Record<string, unknown>> = t
  const arity = shapes.length
  if (sampled !== functions[operation.name] || !broadcasts(info, arity)) return null
  return (pool, draw) => {
    const first = pick(pool, draw)
    if (first === null) return null
    const operands = [first]
    let joint = first.shape
    while (operands.length < arity) {
      const other = otherOperand(first, joint, pool, draw)
      operands.push(other)
      joint = t.evalShape(t.add, joint, other.shape)
    }
    if (draw.integer(0, 1) === 1) operands.reverse()
    return {
      operands,
      call: (...given) => call(operation.name, ...given),
      range: (...all) => elementwiseRange(info, all),
    }
  }
}

function broadcasts({ operation }: OperationInfo, arity: number): boolean {
  const wide = [[2, 1], [3], []].slice(0, arity)
  try {
    const broadcast = operation.shape(
      wide.map((shape) => ({ shape })),
      {},
    )
    const scalars = operation.shape(
      wide.map(() => ({ shape: [] })),
      {},
    )
    return scalars.length === 0 && t.sameShape(broadcast, arity === 1 ? [2, 1] : [2, 3])
  } catch {
    return false
  }
}

/**
 * Something to combine `first` with that broadcasts with shape `wide`: another tensor, its own first row, a number, or a
 * tensor made on the spot.
 */
function otherOperand(first: Operand, wide: t.Shape, pool: Pool, draw: Draw): Operand {
  const kind = draw.integer(0, 7)
  const number = pool.values.find((known) => known.kind === 'number' && !known.integer)
  if (kind === 7 && number !== undefined) return operandOf(number)
  const value = draw.pick([1, 0.5, -2, 3, 0.1, 0, 2, -0.7])
  if (kind === 6) return { ...range(value, value), shape: [], argument: literal(value) }
  if (kind === 5) {
    const argument = call('full', literal(wide), literal(value))
    return { ...range(value, value), shape: wide, argument }
  }
  if (kind === 4) {
    const row = wide.slice(-1).filter((size) => size <= 5)
    const values = Array.from({ length: t.sizeOf(row) }, (_, i) => value + i)
    const argument = call('tensor', literal(values), literal(row))
    return { ...range(value, value + values.length), shape: row, argument }
  }
  const [rows = 0, ...rest] = first.shape
  if (kind === 3 && rows > 0) {
    const row = call('slice', first.argument, literal(0), literal(1))
    return { ...first, shape: [1, ...rest], argument: row }
  }
  const fits = ({ shape }: Known): boolean => {
    for (let i = 1; i <= Math.min(shape.length, wide.length); i++) {
      const [a, b] = [shape[shape.length - i]!, wide[wide.length - i]!]
      if (a !== b && a !== 1 && b !== 1) return false
    }
    return true
  }
  return pick(pool, draw, fits)!
}

// The specification itself says where results lie, at the ends of the operands' ranges and in between.
function elementwiseRange({ operation }: OperationInfo, operands: readonly Range[]): Range {
  let rows: readonly (readonly number[])[] = [[]]
  for (const x of operands) rows = rows.flatMap((row) => points(x).map((point) => [...row, point]))
  const shape = [rows.length]
  const columns = operands.map((_, i) => ({ shape, values: rows.map((row) => row[i]!) }))
  const results = Array.from(operation.reference(columns, {}, shape))
  return range(Math.min(...results), Math.max(...results))
}

function points({ low, high }: Range): readonly number[] {
  if (low === high) return [low]
  return [low, low + (high - low) / 3, high, ...(low < 0 && high > 0 ? [0] : [])]
}
