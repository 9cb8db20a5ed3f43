import { foldIn, type Key, type Tensor } from '@tapeflow/autodiff'
import type { Context } from '../layer.ts'

/**
 * What a combinator tells its layer number `index`: the path is longer by `name` and `index`, the key is the context's
 * child `index`, the rest stays. Two layers never share a key, and a layer's noise depends on its place alone. A combinator
 * runs the layer in `t.namedScope` by what is added to the path, so that `t.graph` and `t.debug` name the layer.
 *
 * @param name under which the combinator keeps its layers in its parameters: `layers`
 * @example
 * const inner = childContext({ training: true, path: 'encoder', key: t.key(1) }, 'layers', 2)
 * inner.path // => 'encoder.layers.2'
 * inner.key // => t.foldIn(t.key(1), 2)
 */
export function childContext(ctx: Context, name: string, index: number): Context {
  const path = ctx.path === '' ? `${name}.${index}` : `${ctx.path}.${name}.${index}`
  const child: { training: boolean; path: string; key?: Key; tap?: (path: string, x: Tensor) => void } = {
    training: ctx.training,
    path,
  }
  if (ctx.key !== undefined) child.key = foldIn(ctx.key, index)
  if (ctx.tap !== undefined) child.tap = ctx.tap
  return child
}
