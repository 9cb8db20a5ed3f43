import { type Shape, showShape } from '../shape.ts'
import type { Range } from './range.ts'

/** A step of a loop that an operation was run in. */
export interface LoopStep {
  readonly operation: string
  /** How many steps came before. */
  readonly step: number
  /** Which row it took: another one than `step` where the loop goes backward. */
  readonly row: number
}

/** What is known of a value that is not finite. */
export interface Anomaly {
  /** The operation that made it; `debug` where it came in with the arguments. */
  readonly operation: string
  /** NaN, Infinity or -Infinity. */
  readonly value: number
  /** Where it stands, the first of its kind, in what was made or came in. */
  readonly index: readonly number[]
  /** What that is like. */
  readonly result: Range
  /** What the operation was given. */
  readonly inputs: readonly Range[]
  /** The names around the operation: `layers.0`; empty where there are none. */
  readonly path: string
  readonly pass: 'forward' | 'backward'
  /** In the backward pass: the operation whose cotangent goes back. */
  readonly backwardOf: string | null
  /** The loops that the operation was run in, the outermost first. */
  readonly steps: readonly LoopStep[]
  /** The argument that it came in with, and where in that; null where an operation made it. */
  readonly argument: { readonly index: number; readonly path: string } | null
  /** Where the operation was called, in the backward pass the one that it goes back to: `file:line:column`; null where it is not known. */
  readonly place: string | null
}

/** A NaN or an infinity was made: thrown by functions that `debug` returns. */
export class AnomalyError extends Error implements Anomaly {
  override readonly name = 'AnomalyError'
  readonly operation: string
  readonly value: number
  readonly index: readonly number[]
  readonly result: Range
  readonly inputs: readonly Range[]
  readonly path: string
  readonly pass: 'forward' | 'backward'
  readonly backwardOf: string | null
  readonly steps: readonly LoopStep[]
  readonly argument: { readonly index: number; readonly path: string } | null
  readonly place: string | null

  /** @param cause what came of what: `for finite inputs` */
  constructor(found: Anomaly, cause: string) {
    super(found.argument === null ? made(found, cause) : cameIn(found))
    this.operation = found.operation
    this.value = found.value
    this.index = found.index
    this.result = found.result
    this.inputs = found.inputs
    this.path = found.path
    this.pass = found.pass
    this.backwardOf = found.backwardOf
    this.steps = found.steps
    this.argument = found.argument
    this.place = found.place
  }
}

function made(
  { operation, result, inputs, path, backwardOf, steps, place, ...found }: Anomaly,
  cause: string,
): string {
  const { value, index } = found
  const where = [
    ...(path === '' ? [] : [` in ${path}`]),
    ...(backwardOf === null ? [] : [` on the way back through ${backwardOf}`]),
    ...steps.map(
      (one) => ` in step ${one.step}${one.row === one.step ? '' : ` (row ${one.row})`} of ${one.operation}`,
    ),
  ]
  const lines = [
    `${operation}: gives ${value}${at(index)}${others(result)} ${cause}${where.join(',')}; look at what it is given`,
    `  result: ${inWords(result)}`,
    ...inputs.map((input, i) => `  input ${i}: ${inWords(input)}`),
  ]
  if (place !== null) lines.push(`  ${backwardOf ?? operation} was called at ${place}`)
  return lines.join('\n')
}

function cameIn({ argument, value, index, result }: Anomaly): string {
  const path = argument!.path === '' ? '' : ` at '${argument!.path}'`
  return [
    `debug: argument ${argument!.index}${path} holds ${value}${at(index)}${others(result)}; look at where it comes from`,
    `  argument: ${inWords(result)}`,
  ].join('\n')
}

const at = (index: readonly number[]): string => (index.length === 0 ? '' : ` at ${showShape(index)}`)

const others = ({ nonFinite }: Range): string =>
  nonFinite === 1 ? '' : `, the first of ${nonFinite} values that are not finite,`

function inWords({ shape, min, max, nonFinite }: Range): string {
  const beside = nonFinite === 0 ? '' : `, ${nonFinite} not finite`
  if (min > max) return `${showShape(shape)}, ${nonFinite === 0 ? 'empty' : 'nothing finite'}`
  return `${showShape(shape)} ${min === max ? `of ${min}` : `from ${min} to ${max}`}${beside}`
}

/** Where element number `place` stands. */
export function indexOf(place: number, shape: Shape): readonly number[] {
  const index: number[] = []
  let rest = place
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]!)
    rest = Math.floor(rest / shape[axis]!)
  }
  return index
}
