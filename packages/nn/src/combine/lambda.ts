import * as t from '@tapeflow/autodiff'
import { at, type Layer } from '../layer.ts'

/**
 * A function as a layer without parameters: y = f(x). Which shape comes out is found by `t.evalShape`: f runs once, on values that
 * are only shapes, whenever parameters are drawn.
 *
 * An `f` that keeps the shape is better an `activation`, through which sizes are checked by the type checker. Sizes may be said
 * here as well: `lambda<64, 32>(f)`.
 *
 * @param f takes `[rows, …sample]`, and keeps the rows; written with operations
 * @param outputShape of one sample, where `f` cannot run without values; else left out
 * @throws TypeError when `f` is no function; RangeError in `init` where rows are not kept, in `apply` where another shape comes out
 * @example
 * const halves = lambda((x) => t.sub(t.slice(x, [0, 0], [x.shape[0], 2]), t.slice(x, [0, 2], [x.shape[0], 4])))
 * halves.init(t.key(1), [4]).outputShape // => [2]
 * halves.apply(null, null, t.tensor([[5, 6, 1, 2]]), { training: true, path: '' }).y.toArray() // => [[4, 4]]
 */
export function lambda<In extends number = number, Out extends number = number>(
  f: (x: t.Tensor) => t.Tensor,
  outputShape?: t.Shape,
): Layer<null, null, In, Out> {
  if (typeof f !== 'function') {
    t.failType('lambda', `a function is needed, got ${t.kindOf(f)}`, 'pass (x) => t.square(x)')
  }
  const name = f.name === '' ? 'lambda' : `lambda ${f.name}`
  return {
    name,
    init: (_key, inputShape) => ({
      params: null,
      state: null,
      outputShape: outputShape ?? shapeFrom(f, inputShape),
    }),
    apply: (_params, state, x, ctx) => {
      const y = t.scope(() => f(x))
      const wanted = outputShape === undefined ? y.shape : [x.shape[0] ?? 1, ...outputShape]
      if (!t.sameShape(y.shape, wanted)) {
        t.failRange(
          'lambda',
          `the function${at(ctx)} must give ${t.showShape(wanted)}, got ${t.showShape(y.shape)}`,
          'pass the shape of one sample that it gives',
        )
      }
      return { y, state }
    },
  }
}

function shapeFrom(f: (x: t.Tensor) => t.Tensor, inputShape: t.Shape): t.Shape {
  // More than one, and as many as no other axis has, so that a sum over them shows.
  let rows = 2
  while (inputShape.includes(rows)) rows++
  const shape: t.Shape = t.evalShape(f, [rows, ...inputShape])
  if (shape[0] === rows) return shape.slice(1)
  return t.failRange(
    'lambda',
    `the function must keep the rows, got ${t.showShape(shape)} from ${t.showShape([rows, ...inputShape])}`,
    'work on the other axes',
  )
}
