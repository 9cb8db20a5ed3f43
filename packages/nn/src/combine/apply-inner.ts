import { namedScope, type Tensor } from '@tapeflow/autodiff'
import type { Applied, Context, Inner } from '../layer.ts'
import { childContext, placeOf } from './child-context.ts'

/**
 * Applies a layer inside of another: what every combinator does. It is told its path and a key of its own (`childContext`), what it
 * computes goes by its place (`t.namedScope`), and its output is handed to `ctx.tap`, with the layer, its parameters and state.
 *
 * @param inner the layer, with the name under which its parameters are kept, and its index where there are several
 * @param params of the inner layer
 * @param state of the inner layer
 * @param ctx what the combinator was told
 * @example
 * const twice = {
 *   init: (key, inputShape) => ({ params: null, state: null, outputShape: inputShape }),
 *   apply: (params, state, x, ctx) => {
 *     const { y } = applyInner({ layer: tanh(), name: 'first' }, null, null, x, ctx)
 *     return applyInner({ layer: relu(), name: 'second' }, null, null, y, ctx)
 *   },
 * }
 * const seen = []
 * const tap = (path, y) => seen.push(`${path}: ${y.shape}`)
 * twice.apply(null, null, t.ones([2, 3]), { training: true, path: 'block', tap })
 * seen // => ['block.first: 2,3', 'block.second: 2,3']
 */
export function applyInner<P, S>(
  inner: Inner<P, S>,
  params: P,
  state: S,
  x: Tensor,
  ctx: Context,
): Applied<S> {
  const { layer, name, index } = inner
  const told = childContext(ctx, name, index)
  const applied = namedScope(placeOf(name, index), () => layer.apply(params, state, x, told))
  ctx.tap?.(told.path, applied.y, { layer, params, state })
  return applied
}
