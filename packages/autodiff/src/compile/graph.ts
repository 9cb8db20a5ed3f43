import type { Expression, Results } from '../kernels/emit.ts'
import type { Storage } from '../memory.ts'
import type { Operation } from '../operation.ts'
import { type Shape, sizeOf } from '../shape.ts'

/** Where a value that is no view comes from. */
export type Source =
  | { readonly kind: 'input'; readonly leaf: number }
  | { readonly kind: 'constant'; readonly storage: Storage; readonly offset: number }
  | { readonly kind: 'computed' }

/** A value of a program: what a line computes, an input, a constant, or a view of one of them. */
export class Value {
  readonly id: number
  /** What a reader of the plan calls it: `%7` where it is entry 7 of the tape. */
  readonly name: string
  readonly shape: Shape
  readonly size: number
  /** What it lies in: itself, unless it is a view. */
  readonly root: Value
  /** Where in that it begins, in bytes. */
  readonly at: number
  readonly source: Source

  constructor(id: number, name: string, shape: Shape, source: Source, root?: Value, at = 0) {
    this.id = id
    this.name = name
    this.shape = shape
    this.size = sizeOf(shape)
    this.root = root ?? this
    this.at = at
    this.source = source
  }
}

/** An operation on values. */
export interface OperationLine {
  readonly operation: Operation
  readonly inputs: readonly Value[]
  readonly attributes: unknown
  readonly output: Value
  readonly also?: undefined
  readonly fused?: undefined
}

/** Elementwise lines that are run as one loop, and reductions of what they compute. */
export interface FusedLine {
  /** As much of an operation as planning asks for. */
  readonly operation: FusedOperation
  readonly inputs: readonly Value[]
  readonly attributes: null
  readonly output: Value
  /** Further results. */
  readonly also: readonly Value[]
  readonly fused: Fused
}

/** What is known of a loop as of an operation. */
export type FusedOperation = Pick<Operation, 'name' | 'inPlace' | 'scratch' | 'effect'>

/** What a loop computes. */
export interface Fused {
  /** Of the inputs: the results, in their order. */
  readonly expression: Expression<Results>
  /** Tells the expression from all others. */
  readonly text: string
  /** Of what shape everything is that the expression computes. */
  readonly shape: Shape
  /** By result: the reduction that it goes into at once, or null where it is stored. */
  readonly reductions: readonly (Reduction | null)[]
}

/** A reduction that follows a loop: what it reduces is never stored as a whole. */
export interface Reduction {
  readonly operation: Operation
  readonly attributes: unknown
}

/** A line of a program. */
export type Line = OperationLine | FusedLine

/** What a line computes. */
export function resultsOf({ output, also }: Line): readonly Value[] {
  return also === undefined ? [output] : [output, ...also]
}

/** A program without memory: lines in an order in which they can be run, each written once. */
export interface Graph {
  readonly lines: readonly OperationLine[]
  /** The values of the traced inputs, by leaf; null for keys. */
  readonly inputs: readonly (Value | null)[]
  readonly outputs: readonly Output[]
  readonly values: number
  /** The tape as it was recorded. */
  readonly recorded: readonly RecordedLine[]
}

/** An entry of the tape: what a reader of the plan is shown. */
export interface RecordedLine {
  readonly name: string
  readonly operation: string
  readonly inputs: readonly string[]
  readonly shape: Shape
  readonly isView: boolean
}

/** A tensor that the program returns. */
export interface Output {
  readonly value: Value
  /** Tells what is computed from all else that may be: operations, attributes, shapes, constants and inputs by name. */
  readonly fingerprint: string
  /** Where it is in what is returned: `params.w`. */
  readonly path: string
}
