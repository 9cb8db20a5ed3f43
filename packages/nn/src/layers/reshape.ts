import * as t from '@tapeflow/autodiff'
import { at, type Layer } from '../layer.ts'

type Last<S extends readonly number[]> = S extends readonly [...number[], infer L extends number]
  ? L extends -1
    ? number
    : L
  : number

/**
 * A layer that gives samples another shape: the same elements in the same order. Nothing is copied. No parameters.
 *
 * @param shape of a sample, without the axis of rows; one size may be -1, and is then worked out
 * @returns a layer `[rows, …sample]` -> `[rows, …shape]`
 * @throws RangeError for sizes that are no counts; in `init` and `apply` when the number of elements would change: names the
 * layer's path and both shapes
 * @example
 * const layer = reshape([28, 28, 1])
 * layer.init(t.key(1), [784]).outputShape // => [28, 28, 1]
 * reshape([2, -1]).apply(null, null, t.tensor([[1, 2, 3, 4]]), { training: true, path: '' }).y.toArray() // => [[[1, 2], [3, 4]]]
 */
export function reshape<const S extends readonly number[]>(shape: S): Layer<null, null, number, Last<S>>
export function reshape(shape: t.Shape): Layer<null, null> {
  const isOpen = checkSizes(shape)
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const shapeFor = (sample: t.Shape): t.Shape | null => {
    const size = t.sizeOf(sample)
    if (!isOpen) return size === known ? shape : null
    return size % known === 0 ? shape.map((one) => (one === -1 ? size / known : one)) : null
  }
  return {
    name: `reshape ${t.showShape(shape)}`,
    config: { type: 'reshape', shape },
    init: (_key, inputShape) => {
      const outputShape = shapeFor(inputShape)
      if (outputShape !== null) return { params: null, state: null, outputShape }
      return t.failRange(
        'reshape',
        `the layer cannot read samples of shape ${t.showShape(inputShape)} as ${t.showShape(shape)}`,
        'the number of elements must stay',
      )
    },
    apply: (_params, state, x, ctx) => {
      const [rows, ...sample] = x.shape
      const made = shapeFor(sample)
      if (rows !== undefined && made !== null) return { y: t.reshape(x, [rows, ...made]), state }
      return t.failRange(
        'reshape',
        `the layer${at(ctx)} cannot read an input of shape ${t.showShape(x.shape)} as rows of ${t.showShape(shape)}`,
        'the number of elements must stay',
      )
    },
  }
}

// Whether one size is left to be worked out.
function checkSizes(shape: t.Shape): boolean {
  const open = shape.filter((size) => size === -1).length
  const sizes = shape.filter((size) => size !== -1)
  if (open <= 1 && sizes.every((size) => Number.isInteger(size) && size >= 1)) return open === 1
  return t.failRange(
    'reshape',
    `sizes must be integers from 1 on, one of them -1 at most, got ${t.showShape(shape)}`,
  )
}
