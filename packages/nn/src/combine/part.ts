import { namedScope, type Tensor } from '@tapeflow/autodiff'
import type { Context } from '../layer.ts'
import { childContext } from './child-context.ts'

/**
 * What a named part of a layer gives, where the part is no layer by itself: it is told a path that is longer by its name and the
 * key's child of that name; what it computes goes by the name, and what it gives is handed to `ctx.tap`.
 *
 * @param name under which the layer keeps the part in its parameters: `attention`
 */
export function part(ctx: Context, name: string, run: (inner: Context) => Tensor): Tensor {
  const inner = childContext(ctx, name)
  const y = namedScope(name, () => run(inner))
  ctx.tap?.(inner.path, y)
  return y
}
