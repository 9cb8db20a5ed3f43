import type { Shaped, Values } from './operation.ts'
import { checkFlag, checkOptions } from './options.ts'
import { checkAxes, type Shape, sizeOf, stridesOf } from './shape.ts'
import { stridedCopy } from './strided-copy.ts'
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

/**
 * Reads the options of a reduction.
 *
 * @param usual the axes where none are named: all of them by default
 * @param further names of options that the operation reads itself
 */
export function reduced(
  operation: string,
  x: Tensor,
  options: ReduceOptions,
  usual?: number,
  further?: readonly string[],
): Reduced {
  checkOptions(operation, options, further === undefined ? names : [...names, ...further])
  return {
    axes: checkAxes(operation, options.axis === undefined ? usual : options.axis, x.rank),
    keepDims: checkFlag(operation, 'keepDims', options.keepDims),
  }
}

/** The shape that is left: reduced axes are dropped, or 1 with `keepDims`. */
export function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  if (keepDims) return keptShape(shape, axes)
  const left: number[] = []
  let next = 0
  for (let axis = 0; axis < shape.length; axis++) {
    if (axes[next] === axis) next++
    else left.push(shape[axis]!)
  }
  return left
}

/** The shape with 1 for each axis that is reduced. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  const kept = [...shape]
  for (let i = 0; i < axes.length; i++) kept[axes[i]!] = 1
  return kept
}

/** The number of elements that fall into one. */
export function reducedCount(shape: Shape, axes: readonly number[]): number {
  let count = 1
  for (let i = 0; i < axes.length; i++) count *= shape[axes[i]!]!
  return count
}

type MiddleKernel = (x: number, out: number, outer: number, n: number, inner: number, further: number) => void

/** One call of a kernel, which takes `[outer, n, inner]` to `[outer, inner]`. */
interface Pass {
  readonly outer: number
  readonly n: number
  readonly inner: number
}

// One pass for each run of neighbouring axes, the last run first.
function passesOver(shape: Shape, axes: readonly number[]): readonly Pass[] {
  if (axes.length === 0) return [{ outer: sizeOf(shape), n: 1, inner: 1 }]
  const passes: Pass[] = []
  let inner = 1
  let rest = shape.length
  for (let i = axes.length - 1; i >= 0; i--) {
    const end = axes[i]! + 1
    while (i > 0 && axes[i - 1] === axes[i]! - 1) i--
    const first = axes[i]!
    inner *= sizeBetween(shape, end, rest)
    passes.push({ outer: sizeBetween(shape, 0, first), n: sizeBetween(shape, first, end), inner })
    rest = first
  }
  return passes
}

// What passes leave to the next ones lies in two regions by turns: the first, and behind it the second.
function regionBytes(passes: readonly Pass[]): readonly [first: number, second: number] {
  const bytes: [number, number] = [0, 0]
  for (let i = 0; i < passes.length - 1; i++) {
    const { outer, inner } = passes[i]!
    bytes[i % 2] = Math.max(bytes[i % 2]!, outer * inner * 4)
  }
  return bytes
}

/**
 * The bytes of working memory that `reduceWith` needs: for what passes leave, where the axes are apart, and behind it for columns.
 *
 * @param each what the kernel needs for a column, of 4 to 1024 of them; nothing where elements lie side by side
 * @param from how many elements a column has at least where it needs that
 */
export function reduceScratch(x: Shaped, axes: readonly number[], each = 0, from = 0): number {
  if (areNeighbours(axes)) {
    const last = axes[axes.length - 1]
    if (each === 0 || last === undefined || reducedCount(x.shape, axes) < from) return 0
    return columnScratch(innerSize(x, last), each)
  }
  const passes = passesOver(x.shape, axes)
  const columns = passes.map(({ inner, n }) => (n < from ? 0 : columnScratch(inner, each)))
  return passBytes(passes) + Math.max(...columns)
}

/** The bytes of working memory of a sum: totals in double precision of columns with more elements than are added up in float32. */
export function sumScratch(x: Shaped, axes: readonly number[]): number {
  return reduceScratch(x, axes, 8, 65)
}

function passBytes(passes: readonly Pass[]): number {
  const [first, second] = regionBytes(passes)
  return first + second
}

/**
 * Reduces with a kernel that takes `[outer, n, inner]` to `[outer, inner]`: one call for each run of neighbouring axes,
 * the last run first.
 *
 * @param scratch where `reduceScratch` bytes are
 * @param further what else the kernel is told: where its bytes for columns are, by default
 */
export function reduceWith(
  kernel: MiddleKernel,
  output: Tensor,
  x: Tensor,
  axes: readonly number[],
  scratch: number,
  further?: number,
): void {
  const { shape } = x
  const first = axes.length === 0 ? shape.length : axes[0]!
  const end = first + axes.length
  // Neighbours, as nearly always: one pass, and no list of them.
  if (axes.length === 0 || axes[axes.length - 1] === end - 1) {
    kernel(
      x.offset,
      output.offset,
      sizeBetween(shape, 0, first),
      sizeBetween(shape, first, end),
      sizeBetween(shape, end, shape.length),
      further ?? scratch,
    )
    return
  }
  const passes = passesOver(shape, axes)
  const told = further ?? scratch + passBytes(passes)
  const last = passes.length - 1
  const second = last > 1 ? scratch + regionBytes(passes)[0] : scratch
  let from = x.offset
  for (let i = 0; i <= last; i++) {
    const { outer, n, inner } = passes[i]!
    const into = i === last ? output.offset : i % 2 === 0 ? scratch : second
    kernel(from, into, outer, n, inner, told)
    from = into
  }
}

/**
 * The bytes that a kernel needs beside its output to work on columns together: `each` for every one of the `inner`, of 4 to 1024; 0
 * where elements lie side by side.
 */
export function columnScratch(inner: number, each: number): number {
  return inner === 1 ? 0 : each * Math.min(1024, Math.ceil(inner / 4) * 4)
}

const areNeighbours = (axes: readonly number[]): boolean =>
  axes.length === 0 || axes[axes.length - 1]! - axes[0]! < axes.length

/**
 * The bytes of working memory that `reduceAtOnce` needs: those of `x` where the axes are apart.
 *
 * @param each what the kernel needs for a column
 */
export function atOnceScratch(x: Shaped, axes: readonly number[], each: number): number {
  return areNeighbours(axes) ? reduceScratch(x, axes, each) : 4 * sizeOf(x.shape)
}

/**
 * Reduces in one call of a kernel, for what does not come together from parts: where the axes are apart, they are first moved to
 * the end.
 *
 * @param scratch where `atOnceScratch` bytes are
 */
export function reduceAtOnce(
  kernel: MiddleKernel,
  output: Tensor,
  x: Tensor,
  axes: readonly number[],
  scratch: number,
): void {
  if (areNeighbours(axes)) {
    reduceWith(kernel, output, x, axes, scratch)
    return
  }
  const { shape } = x
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes)
  const moved = order.map((axis) => shape[axis]!)
  const strides = stridesOf(shape)
  stridedCopy(
    moved,
    x.offset,
    order.map((axis) => strides[axis]!),
    scratch,
    stridesOf(moved),
  )
  kernel(scratch, output.offset, output.size, reducedCount(shape, axes), 1, 0)
}

/** The number of elements from one place on an axis to the next. */
export function innerSize({ shape }: Shaped, axis: number): number {
  return sizeBetween(shape, axis + 1, shape.length)
}

/** The product of the sizes of the axes from `first` up to, but without, `end`. */
export function sizeBetween(shape: Shape, first: number, end: number): number {
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
