import { allocate, release } from './memory.ts'
import type { Values } from './operation.ts'
import { checkFlag, checkOptions } from './options.ts'
import { checkAxes, type Shape, sizeOf } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** Which axes a reduction goes over: one, several, or all of them; negative ones count from the end. */
export interface ReduceOptions {
  readonly axis?: number | readonly number[]
  /** Keep reduced axes with size 1, so that the result broadcasts against the input. Off by default. */
  readonly keepDims?: boolean
}

/** A reduction's attributes: axes counted from 0, ascending. */
export interface Reduced {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

const names = ['axis', 'keepDims'] as const

/** Reads the options of a reduction. */
export function reduced(operation: string, x: Tensor, options: ReduceOptions): Reduced {
  checkOptions(operation, options, names)
  return {
    axes: checkAxes(operation, options.axis, x.rank),
    keepDims: checkFlag(operation, 'keepDims', options.keepDims),
  }
}

/** The shape that is left: reduced axes are dropped, or 1 with `keepDims`. */
export function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  if (keepDims) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  return shape.filter((_, axis) => !axes.includes(axis))
}

/** The number of elements that fall into one. */
export function reducedCount(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * shape[axis]!, 1)
}

type MiddleKernel = (x: number, out: number, outer: number, n: number, inner: number) => void

/**
 * Reduces with a kernel that takes `[outer, n, inner]` to `[outer, inner]`: one call for each run of neighbouring axes,
 * the last run first.
 */
export function reduceWith(kernel: MiddleKernel, output: Tensor, x: Tensor, axes: readonly number[]): void {
  const runs: { first: number; last: number }[] = []
  for (const axis of axes) {
    const run = runs[runs.length - 1]
    if (run !== undefined && run.last + 1 === axis) run.last = axis
    else runs.push({ first: axis, last: axis })
  }
  if (runs.length === 0) runs.push({ first: x.rank, last: x.rank - 1 })
  let shape = x.shape
  let from = x.offset
  let temporary: ReturnType<typeof allocate> | undefined
  for (let i = runs.length - 1; i >= 0; i--) {
    const { first, last } = runs[i]!
    const outer = sizeBetween(shape, 0, first)
    const inner = sizeBetween(shape, last + 1, shape.length)
    let into: ReturnType<typeof allocate> | undefined
    try {
      if (i > 0) into = allocate(outer * inner * 4)
      kernel(from, into?.offset ?? output.offset, outer, sizeBetween(shape, first, last + 1), inner)
    } finally {
      // Also where the heap is full: nobody else knows of it.
      if (temporary !== undefined) release(temporary)
    }
    temporary = into
    if (into !== undefined) from = into.offset
    if (i > 0) shape = [...shape.slice(0, first), ...shape.slice(last + 1)]
  }
}

function sizeBetween(shape: Shape, first: number, end: number): number {
  let size = 1
  for (let axis = first; axis < end; axis++) size *= shape[axis]!
  return size
}

/** Reduces in float64, one element at a time: `step` folds a value into the sum so far. */
export function reduceReference(
  x: Values,
  axes: readonly number[],
  initial: number,
  step: (before: number, value: number) => number,
): Float64Array {
  const result = new Float64Array(sizeOf(reducedShape(x.shape, { axes, keepDims: true }))).fill(initial)
  forEachReduced(x, axes, (into, value) => {
    result[into] = step(result[into]!, value)
  })
  return result
}

/** Visits every element in order, with the place of the result that it falls into. */
export function forEachReduced(
  x: Values,
  axes: readonly number[],
  visit: (into: number, value: number) => void,
): void {
  const rank = x.shape.length
  const strides = new Array<number>(rank).fill(0)
  for (let axis = rank - 1, step = 1; axis >= 0; axis--) {
    if (axes.includes(axis)) continue
    strides[axis] = step
    step *= x.shape[axis]!
  }
  const index = new Array<number>(rank).fill(0)
  for (let i = 0; i < x.values.length; i++) {
    visit(
      index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0),
      x.values[i]!,
    )
    for (let axis = rank - 1; axis >= 0 && ++index[axis]! === x.shape[axis]; axis--) index[axis] = 0
  }
}
