import { defineOperation, type Operation } from '../operation.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

interface Part {
  readonly index: number
  /** Where it begins in the packed output, in elements. */
  readonly first: number
  readonly shape: readonly number[]
}

/** One of the results of an operation that has several: a view of its packed output. */
export const partOperation: Operation<Part, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  Part,
  readonly Tensor[]
>({
  name: 'part',
  doc: 'one of the results of an operation that has several',
  shape: (_, { shape }) => shape,
  reference: ([x], { first }, shape) =>
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => x!.values[first + i]!),
  alias: (_, { first }) => first,
  vjp: [],
  part: ({ index }) => index,
})
