import { namedScope, type Tensor } from '@tapeflow/autodiff'
import type { Context, Tapped } from '../layer.ts'
import { childContext } from './child-context.ts'

/**
 * What a named part of a layer gives, where that is more than an `apply`: as `applyInner`, with a function in the place of it.
 *
 * @param name under which the layer keeps the part in its parameters: `attention`
 * @param layer by which `ctx.tap` knows the part
 */
export function part(
  ctx: Context,
  name: string,
  layer: Tapped['layer'],
  params: unknown,
  run: (inner: Context) => Tensor,
): Tensor {
  const inner = childContext(ctx, name)
  const y = namedScope(name, () => run(inner))
  ctx.tap?.(inner.path, y, { layer, params, state: null })
  return y
}
