import { failRange, namedScope, type Tensor } from '@tapeflow/autodiff'
import { applyInner } from '../combine/apply-inner.ts'
import { childContext, placeOf } from '../combine/child-context.ts'
import { scopeUnlessTapped } from '../combine/scope-unless-tapped.ts'
import { type AnyLayer, type Applied, type Inner, type Layer, nameOf } from '../layer.ts'

type Apply = AnyLayer['apply']

/**
 * An `apply` that gives the output of the layer at `path` inside of a layer; undefined where a combinator has no such one. A layer
 * that cannot stop on the way is run whole, and its output at the path taken from `ctx.tap`.
 */
export function applyUpTo(layer: AnyLayer, path: string): Apply | undefined {
  if (path === '') return (params, state, x, ctx) => layer.apply(params, state, x, ctx)
  if (layer.upTo === undefined) return listening(layer, path)
  return layer.upTo(path, (inner) => innerUpTo(path, inner))
}

/** As `applyUpTo`, for a path that begins with the place of an inner layer; undefined for another path. */
function innerUpTo<T extends object>(
  path: string,
  inner: Inner<unknown, unknown>,
): Layer<T, T>['apply'] | undefined {
  const { layer, name, index } = inner
  const place = placeOf(name, index)
  if (path !== place && !path.startsWith(`${place}.`)) return undefined
  const of = (tree: T): unknown => {
    const branch: unknown = Reflect.get(tree, name)
    return index === undefined || !Array.isArray(branch) ? branch : branch[index]
  }
  const replaced = (tree: T, changed: unknown): T => {
    if (changed === of(tree)) return tree
    const branch: unknown = Reflect.get(tree, name)
    const next =
      index === undefined || !Array.isArray(branch)
        ? changed
        : branch.map((x, i) => (i === index ? changed : x))
    return { ...tree, [name]: next }
  }
  const rest = path.slice(place.length + 1)
  const partial = applyUpTo(layer, rest)
  if (partial === undefined) return undefined
  return (params, state, x, ctx) => {
    // Part of a layer is not its output: only a whole one is tapped.
    const { y, state: after } =
      rest === ''
        ? applyInner(inner, of(params), of(state), x, ctx)
        : namedScope(place, () => partial(of(params), of(state), x, childContext(ctx, name, index)))
    return { y, state: replaced(state, after) }
  }
}

function listening(layer: AnyLayer, path: string): Layer<unknown, unknown>['apply'] {
  return (params, state, x, ctx) => {
    const wanted = ctx.path === '' ? path : `${ctx.path}.${path}`
    const run = (): Applied<unknown> => {
      let found: Tensor | undefined
      const applied = layer.apply(params, state, x, {
        ...ctx,
        tap: (at, y, from) => {
          ctx.tap?.(at, y, from)
          if (at === wanted) found = y
        },
      })
      return { y: found ?? failMissing(layer, path), state: applied.state }
    }
    return scopeUnlessTapped(ctx, run)
  }
}

/** Says that there is no layer at a path. */
export function failMissing(layer: AnyLayer, path: string): never {
  return failRange(
    'features',
    `there is no layer at '${path}' in ${nameOf(layer)}`,
    'summary(model, inputShape) lists the paths',
  )
}
