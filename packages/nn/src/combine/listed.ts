import {
  failRange,
  failType,
  foldIn,
  type Key,
  kindOf,
  namedScope,
  type Shape,
  type Tensor,
} from '@tapeflow/autodiff'
import { type AnyLayer, type Applied, at, type Context, type ParamsOf, type StateOf } from '../layer.ts'
import { childContext } from './child-context.ts'

/** Parameters of layers in order; their paths read `layers.0.weight`. */
export type LayersParams<L extends readonly AnyLayer[]> = {
  readonly layers: { readonly [K in keyof L]: ParamsOf<L[K]> }
}

/** State of layers in order. */
export type LayersState<L extends readonly AnyLayer[]> = {
  readonly layers: { readonly [K in keyof L]: StateOf<L[K]> }
}

/** Trees of layers in order. */
export type Listed = { readonly layers: readonly unknown[] }

/** Checks that there are layers, and that they are such. */
export function checkLayers(operation: string, layers: readonly unknown[]): void {
  if (layers.length === 0)
    failRange(operation, 'at least one layer is needed, got 0', 'pass linear(…), relu(), …')
  for (const [i, layer] of layers.entries()) {
    if (isLayer(layer)) continue
    failType(
      operation,
      `argument ${i} is no layer, got ${kindOf(layer)}`,
      'call the function that makes it: relu()',
    )
  }
}

/** Whether something has what a layer has. */
export function isLayer(layer: unknown): layer is AnyLayer {
  return typeof layer === 'object' && layer !== null && 'init' in layer && 'apply' in layer
}

/** Checks that there are parameters and a state for each layer. */
export function checkTrees(
  operation: string,
  layers: readonly AnyLayer[],
  params: Listed,
  state: Listed,
  ctx: Context,
): void {
  for (const [what, tree] of Object.entries({ params, state })) {
    if (tree.layers.length === layers.length) continue
    failRange(
      operation,
      `the ${what}${at(ctx)} must hold ${layers.length} layers, got ${tree.layers.length}`,
      'pass what init of this model made',
    )
  }
}

/** Applies layer number `i` under its own path and key, and tells `ctx.tap`. */
export function applyListed(
  layers: readonly AnyLayer[],
  i: number,
  params: Listed,
  state: Listed,
  x: Tensor,
  ctx: Context,
): Applied<unknown> {
  const inner = childContext(ctx, 'layers', i)
  const applied = namedScope(`layers.${i}`, () =>
    layers[i]!.apply(params.layers[i], state.layers[i], x, inner),
  )
  ctx.tap?.(inner.path, applied.y)
  return applied
}

/** The state after the layers have been applied: the same object where none of them changed its own. */
export function nextState(state: Listed, applied: readonly Applied<unknown>[]): Listed {
  if (applied.every((one, i) => one.state === state.layers[i])) return state
  return { layers: applied.map((one) => one.state) }
}

/** What `init` of layers beside each other makes: each draws from the key's child of its number. */
export function initializeBeside(
  layers: readonly AnyLayer[],
  key: Key,
  inputShape: Shape,
): { readonly params: Listed; readonly state: Listed; readonly outputShapes: readonly Shape[] } {
  const made = layers.map((layer, i) => layer.init(foldIn(key, i), inputShape))
  return {
    params: { layers: made.map(({ params }) => params) },
    state: { layers: made.map(({ state }) => state) },
    outputShapes: made.map(({ outputShape }) => outputShape),
  }
}

/** The words for a layer in an error. */
export function nameOf(layer: AnyLayer): string {
  return layer.name ?? 'unnamed'
}
