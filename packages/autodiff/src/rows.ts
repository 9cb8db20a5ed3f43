import { apply, tensorOperand } from './apply.ts'
import { failRange } from './fail.ts'
import { wasm } from './kernels/wasm.ts'
import type { ErrorInput, Operation, Shaped, Values } from './operation.ts'
import { checkOptions } from './options.ts'
import { columnScratch, innerSize, sizeBetween } from './reduction.ts'
import { checkAxis, type Shape } from './shape.ts'
import { type Tensor, tensor } from './tensor.ts'

/** Along which axis. */
export interface AxisOptions {
  /** The last one by default. */
  readonly axis?: number
}

/** An attribute of operations along one axis, counted from 0. */
export interface Along {
  readonly axis: number
}

/** Applies an operation along one axis. */
export function applyAlong(operation: Operation<Along, [Tensor]>, x: Tensor, options: AxisOptions): Tensor {
  const { name } = operation
  const from = tensorOperand(name, x)
  checkOptions(name, options, ['axis'])
  return apply(operation, [from], {
    axis: checkAxis(name, options.axis === undefined ? -1 : options.axis, from.rank),
  })
}

/** The shape, checked to have a last axis to work along. */
export function checkLastAxis(operation: string, shape: Shape): Shape {
  if (shape.length === 0) failRange(operation, 'a scalar has no last axis', 'reshape it to [1]')
  return shape
}

/** The bytes of working memory that `softmaxColumns` needs. */
export const alongScratch = (x: Shaped, axis: number): number => columnScratch(innerSize(x, axis), 12)

/** Runs one kernel where elements of the axis lie side by side, the other where they are `inner` apart. */
export function alongKernel(
  kind: 'softmax' | 'logSoftmax',
  output: Tensor,
  x: Tensor,
  axis: number,
  scratch: number,
): void {
  const { shape } = x
  const outer = sizeBetween(shape, 0, axis)
  const inner = innerSize(x, axis)
  const size = shape[axis]!
  const kernels = wasm()
  if (inner === 1) kernels[kind](x.offset, output.offset, outer, size)
  else
    kernels.softmaxColumns(x.offset, output.offset, outer, size, inner, kind === 'softmax' ? 0 : 1, scratch)
}

/** Maps every line along an axis to another one of the same length. */
export function mapLines(
  { shape, values }: Values,
  axis: number,
  map: (line: number[]) => readonly number[],
): Float64Array {
  const result = new Float64Array(values.length)
  const inner = innerSize({ shape }, axis)
  const n = shape[axis]!
  for (let i = 0; i < values.length / n; i++) {
    const first = Math.floor(i / inner) * n * inner + (i % inner)
    const line = Array.from({ length: n }, (_, k) => values[first + k * inner]!)
    for (const [k, value] of map(line).entries()) result[first + k * inner] = value
  }
  return result
}

/** The errors of operations along one axis. */
export function axisErrors(name: string, call: (x: Tensor, options?: AxisOptions) => unknown): ErrorInput[] {
  return [
    {
      call: () => call(tensor(1)),
      kind: 'RangeError',
      message: `${name}: axis -1 is out of range for rank 0; a scalar has no axes`,
    },
    {
      call: () => call(tensor([[1]]), { axis: 2 }),
      kind: 'RangeError',
      message: `${name}: axis 2 is out of range for rank 2; use -2 to 1`,
    },
    {
      call: () => call(tensor([1]), { axis: '0' as unknown as number }),
      kind: 'TypeError',
      message: `${name}: axis must be an integer, got a string`,
    },
    {
      call: () => call(tensor([1]), 0 as AxisOptions),
      kind: 'TypeError',
      message: `${name}: options must be an object, got 0; write { axis: … }`,
    },
  ]
}
