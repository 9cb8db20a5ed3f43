import { foldIn, type Key } from '@tapeflow/autodiff'
import type { Context, Tap } from '../layer.ts'

/**
 * What a combinator tells an inner layer: the path is longer by `name` and `index`, the key is the context's child `index`, the
 * rest stays. Two layers never share a key, and a layer's noise depends on its place alone. A layer that stands under a name
 * of its own has no index: the key is then the child `name`. `applyInner` does this, and what else a combinator does.
 *
 * @param name under which the combinator keeps its layers in its parameters: `layers`
 * @param index where there are several under that name
 * @example
 * const inner = childContext({ training: true, path: 'encoder', key: t.key(1) }, 'layers', 2)
 * inner.path // => 'encoder.layers.2'
 * inner.key // => t.foldIn(t.key(1), 2)
 * childContext({ training: true, path: '' }, 'shortcut').path // => 'shortcut'
 */
export function childContext(ctx: Context, name: string, index?: number): Context {
  const place = placeOf(name, index)
  const path = ctx.path === '' ? place : `${ctx.path}.${place}`
  const child: { training: boolean; path: string; key?: Key; tap?: Tap } = { training: ctx.training, path }
  if (ctx.key !== undefined) child.key = foldIn(ctx.key, index ?? name)
  if (ctx.tap !== undefined) child.tap = ctx.tap
  return child
}

/** What is added to the path: `layers.2`. */
export function placeOf(name: string, index: number | undefined): string {
  return index === undefined ? name : `${name}.${index}`
}
