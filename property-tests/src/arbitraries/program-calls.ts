import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import { type Argument, type Call, call, type Literal, literal, valueAt } from './program-lines.ts'

/** Where the numbers of a value are expected. Only a guess: what random programs compute should stay finite mostly. */
export interface Range {
  readonly low: number
  readonly high: number
  /** Whether they are whole numbers for sure: such as index rows. */
  readonly integer: boolean
}

/** A value that lines can use, by its number. */
export interface Known extends Range {
  readonly kind: 'tensor' | 'key' | 'number'
  readonly index: number
  /** Where it was drawn: that stays when other lines are left out. */
  readonly slot: number
  readonly shape: t.Shape
}

/** The values so far, the last one first, and the slot of the line that is to use them. */
export interface Pool {
  readonly values: readonly Known[]
  readonly slot: number
}

/** What a call may be given in the place of a tensor: its shape is `[]` for a number. */
export interface Operand extends Range {
  readonly argument: Argument
  readonly shape: t.Shape
}

/** A call that was drawn. Operands may be replaced by others of the same shape. */
export interface Drawn {
  readonly operands: readonly Operand[]
  readonly call: (...operands: Argument[]) => Call
  readonly range: (...operands: Range[]) => Range
}

/** Draws a call of an operation on values of the pool; null where there are none that fit. */
export type Caller = (pool: Pool, draw: Draw) => Drawn | null

/** The value in a slot that is drawn, or the next one before it that fits; one of the latest slots more often than not. */
export function pickFrom(pool: Pool, draw: Draw, fits: (known: Known) => boolean): Known | undefined {
  const fitting = pool.values.filter(fits)
  const isNear = draw.integer(0, 1) === 1
  const place = draw.integer(0, isNear ? 2 : pool.slot - 1)
  const drawn = isNear ? pool.slot - 1 - place : place
  return fitting.find(({ slot }) => slot <= drawn) ?? fitting.at(-1)
}

/** A tensor of the pool; null where none fits. */
export function pick(pool: Pool, draw: Draw, fits: (known: Known) => boolean = always): Operand | null {
  const known = pickFrom(pool, draw, (value) => value.kind === 'tensor' && fits(value))
  return known === undefined ? null : operandOf(known)
}

export const operandOf = (known: Known): Operand => ({ ...known, argument: valueAt(known.index) })

export const range = (low: number, high: number, integer = false): Range => ({ low, high, integer })
export const same = (x: Range): Range => x
export const withZero = ({ low, high, integer }: Range): Range =>
  range(Math.min(low, 0), Math.max(high, 0), integer)
export const times = ({ low, high, integer }: Range, count: number): Range =>
  range(low * count, high * count, integer)

/** A call on one tensor that fits, and further arguments. */
export function ofOne(
  name: string,
  fits: (x: Known) => boolean,
  result: (x: Range, shape: t.Shape) => Range,
  further: (x: Operand, draw: Draw) => readonly Literal[] = () => [],
): Caller {
  return (pool, draw) => {
    const x = pick(pool, draw, fits)
    if (x === null) return null
    const given = further(x, draw).map(literal)
    return {
      operands: [x],
      call: (argument) => call(name, argument, ...given),
      range: (own) => result(own, x.shape),
    }
  }
}

export const always = (): boolean => true
export const isRowed = ({ shape }: Known): boolean => shape.length > 0
export const last = (shape: t.Shape): number => shape[shape.length - 1]!

export const meanRange = ({ low, high }: Range, shape: t.Shape): Range =>
  shape.includes(0) ? range(Number.NaN, Number.NaN) : range(low, high)

export const reduction =
  (least: number) =>
  ({ shape }: Operand, draw: Draw): readonly Literal[] => {
    const axis = shape.map((_, i) => i).filter((i) => draw.integer(0, 1) === 1 && shape[i]! >= least)
    const keepDims = draw.integer(0, 1) === 1
    if (axis.length === 0 && least === 0 && !keepDims) return []
    return [{ axis, ...(keepDims && { keepDims }) }]
  }

export const magnitude = ({ low, high }: Range): number => Math.max(Math.abs(low), Math.abs(high))

export function indicesBelow(
  limit: number,
  pool: Pool,
  draw: Draw,
  fits: (known: Known) => boolean,
): Operand | null {
  if (draw.integer(0, 1) === 0) return null
  return pick(pool, draw, (x) => x.integer && x.low >= 0 && x.high < limit && fits(x))
}

export function constantIndices(shape: t.Shape, limit: number, draw: Draw): Operand {
  const first = draw.integer(0, 9)
  const values = Array.from({ length: t.sizeOf(shape) }, (_, i) => (first + 7 * i) % limit)
  const high = values.reduce((most, x) => Math.max(most, x), 0)
  return { ...range(0, high, true), shape, argument: call('tensor', literal(values), literal(shape)) }
}
