import { foldIn, type Key, namedScope, type Tensor } from '@tapeflow/autodiff'
import type { Context } from '../layer.ts'

/**
 * What a named part of a layer gives: it is told a path that is longer by its name and the key's child of that name; what it
 * computes goes by the name, and what it gives is handed to `ctx.tap`.
 *
 * @param name under which the layer keeps the part in its parameters: `attention`
 */
export function part(ctx: Context, name: string, run: (inner: Context) => Tensor): Tensor {
  const path = ctx.path === '' ? name : `${ctx.path}.${name}`
  const inner: { training: boolean; path: string; key?: Key; tap?: (path: string, x: Tensor) => void } = {
    training: ctx.training,
    path,
  }
  if (ctx.key !== undefined) inner.key = foldIn(ctx.key, name)
  if (ctx.tap !== undefined) inner.tap = ctx.tap
  const y = namedScope(name, () => run(inner))
  ctx.tap?.(path, y)
  return y
}
