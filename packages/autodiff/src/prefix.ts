import { wasm } from './kernels/wasm.ts'
import type { Draw, Sample, Shaped, Values } from './operation.ts'
import { pad } from './ops/pad.ts'
import { slice } from './ops/slice.ts'
import { checkFlag, checkOptions } from './options.ts'
import { columnScratch, innerSize, sizeBetween } from './reduction.ts'
import { checkAxis } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** Along which axis, and how, elements come together one after the other. */
export interface PrefixOptions {
  /** The last one by default. */
  readonly axis?: number
  /** Leave out the element itself: the first result is that of nothing. Off by default. */
  readonly exclusive?: boolean
  /** Begin with the last element. Off by default. */
  readonly reverse?: boolean
}

/** The attributes of operations along one axis. */
export interface Prefix {
  readonly axis: number
  readonly exclusive: boolean
  readonly reverse: boolean
}

/** Reads the options. */
export function prefixOf(
  operation: string,
  x: Tensor,
  options: PrefixOptions,
  names: readonly string[] = ['axis', 'exclusive', 'reverse'],
): Prefix {
  checkOptions(operation, options, names)
  return {
    axis: checkAxis(operation, options.axis === undefined ? -1 : options.axis, x.rank),
    exclusive: checkFlag(operation, 'exclusive', options.exclusive),
    reverse: checkFlag(operation, 'reverse', options.reverse),
  }
}

/** The bytes of working memory that the kernel needs. */
export const prefixScratch = (x: Shaped, { axis }: Prefix): number => columnScratch(innerSize(x, axis), 8)

/** Runs the kernel. `kind`: 0 sums, 1 products, 2 s = x + by s. */
export function prefixKernel(
  output: Tensor,
  x: Tensor,
  by: Tensor,
  kind: 0 | 1 | 2,
  along: Prefix,
  scratch: number,
): void {
  const { shape } = x
  wasm().prefix(
    x.offset,
    by.offset,
    output.offset,
    sizeBetween(shape, 0, along.axis),
    shape[along.axis]!,
    innerSize(x, along.axis),
    kind,
    along.exclusive ? 1 : 0,
    along.reverse ? 1 : 0,
    scratch,
  )
}

/** The same in float64: `step` goes on from what came together so far, with the element at place `at`. */
export function prefixReference(
  { shape, values }: Values,
  { axis, exclusive, reverse }: Prefix,
  initial: number,
  step: (before: number, value: number, at: number) => number,
): Float64Array {
  const result = new Float64Array(values.length)
  const inner = innerSize({ shape }, axis)
  const n = shape[axis]!
  for (let line = 0; line < values.length / n; line++) {
    const first = Math.floor(line / inner) * n * inner + (line % inner)
    let state = initial
    for (let i = 0; i < n; i++) {
      const at = first + (reverse ? n - 1 - i : i) * inner
      if (exclusive) result[at] = state
      state = step(state, values[at]!, at)
      if (!exclusive) result[at] = state
    }
  }
  return result
}

/** At each place what stands at the next one along the axis, or at the previous one (`by` -1); 0 where there is none. */
export function neighbour(x: Tensor, axis: number, by: 1 | -1): Tensor {
  const size = x.shape[axis]!
  if (size === 0) return x
  const place = (at: number): number[] => x.shape.map((_, i) => (i === axis ? at : 0))
  const end = x.shape.map((length, i) => (i === axis && by === -1 ? size - 1 : length))
  return pad(
    slice(x, place(by === 1 ? 1 : 0), end),
    x.shape.map((_, i) => (i === axis ? (by === 1 ? [0, 1] : [1, 0]) : [0, 0])),
  )
}

/** Samples an operation along one axis of tensors of one shape. */
export function prefixSample(
  call: (inputs: readonly Tensor[], options: PrefixOptions) => Tensor,
  arity: number,
  hasExclusive: boolean,
): (draw: Draw) => Sample {
  return (draw) => {
    const shape = draw.shape(1, 3)
    const axis = draw.integer(0, shape.length - 1)
    const reverse = draw.integer(0, 1) === 1
    const options = hasExclusive ? { axis, reverse, exclusive: draw.integer(0, 1) === 1 } : { axis, reverse }
    return { shapes: new Array(arity).fill(shape), call: (...inputs) => call(inputs, options) }
  }
}
