import { failRange, foldIn, type Key, type Shape, showShape, type Tensor } from '@tapeflow/autodiff'
import {
  type AnyLayer,
  type Applied,
  at,
  type Context,
  type Layer,
  nameOf,
  type ParamsOf,
  type StateOf,
} from '../layer.ts'
import { applyInner } from './apply-inner.ts'
import { checkLayer } from './check-layer.ts'
import { scopeUnlessTapped } from './scope-unless-tapped.ts'
import type { Chain, Chained } from './sizes.ts'

/** Parameters of layers in order; their paths read `layers.0.weight`. */
export type SequentialParams<L extends readonly AnyLayer[]> = {
  readonly layers: { readonly [K in keyof L]: ParamsOf<L[K]> }
}

/** State of layers in order. */
export type SequentialState<L extends readonly AnyLayer[]> = {
  readonly layers: { readonly [K in keyof L]: StateOf<L[K]> }
}

/** Layers one after the other: itself a layer, whose types say what each of them holds. */
export type Sequential<L extends readonly AnyLayer[]> = Chain<L, SequentialParams<L>, SequentialState<L>>

/**
 * Layers one after the other: y = layer_n(… layer_1(layer_0(x))). Itself a layer, so chains nest.
 *
 * Neighbours whose sizes do not match are refused by the type checker where the sizes are known to it, and by `init`
 * in any case. Layer i draws its parameters from the key's child i, and its noise from the pass's key's child i. Each
 * layer's output is handed to `ctx.tap` under the path `layers.i`, and what it computes goes by the name `layers.i` (`t.namedScope`).
 *
 * @param layers at least one
 * @returns a layer with parameters `{ layers: […] }` and state `{ layers: […] }`, one entry for each layer
 * @throws RangeError without layers; in `init` when a layer takes another number of features than the one before it
 * gives: names both; in `apply` when there are parameters or states for another number of layers
 * @throws TypeError when an argument is no layer
 * @example
 * const model = sequential(linear(2, 3, { weight: ones }), relu(), linear(3, 1, { weight: ones }))
 * const { params, state, outputShape } = model.init(t.key(1), [2])
 * t.paths(params) // => ['layers.0.bias', 'layers.0.weight', 'layers.2.bias', 'layers.2.weight']
 * outputShape // => [1]
 * model.apply(params, state, t.tensor([[1, 2], [-5, 1]]), { training: true, path: '' }).y.toArray() // => [[9], [0]]
 */
export function sequential<const L extends readonly AnyLayer[]>(
  ...layers: L extends Chained<L> ? L : Chained<L>
): Sequential<L>
export function sequential(...layers: readonly AnyLayer[]): Layer<Listed, Listed> {
  if (layers.length === 0)
    failRange('sequential', 'at least one layer is needed, got 0', 'pass linear(…), relu(), …')
  for (const [i, layer] of layers.entries()) checkLayer('sequential', `argument ${i}`, layer)
  const inputSize = layers[0]!.inputSize
  return {
    name: `sequential of ${layers.length}`,
    config: { type: 'sequential', layers },
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => initialize(layers, key, inputShape),
    apply: (params, state, x, ctx) => {
      const run = (): Applied<Listed> => runFirst(layers.length, layers, params, state, x, ctx)
      return scopeUnlessTapped(ctx, run)
    },
    upTo: (path, inside) => {
      // What is no index finds no layer.
      const index = Number(path.split('.')[1])
      const layer = layers[index]
      const last = layer && inside<Listed>({ layer, name: 'layers', index })
      if (last === undefined) return undefined
      return (params, state, x, ctx) => {
        const { y, state: midway } = runFirst(index, layers, params, state, x, ctx)
        return last(params, midway, y, ctx)
      }
    },
  }
}

type Listed = { readonly layers: readonly unknown[] }

function runFirst(
  count: number,
  layers: readonly AnyLayer[],
  params: Listed,
  state: Listed,
  x: Tensor,
  ctx: Context,
): Applied<Listed> {
  checkCount('params', params, layers, ctx)
  checkCount('state', state, layers, ctx)
  let y = x
  let changed: unknown[] | undefined
  for (let i = 0; i < count; i++) {
    const before = state.layers[i]
    const inner = { layer: layers[i]!, name: 'layers', index: i }
    const applied = applyInner(inner, params.layers[i], before, y, ctx)
    y = applied.y
    if (applied.state !== before) (changed ??= state.layers.slice())[i] = applied.state
  }
  return { y, state: changed === undefined ? state : { layers: changed } }
}

function checkCount(what: string, tree: Listed, { length }: readonly AnyLayer[], ctx: Context): void {
  if (tree.layers.length === length) return
  failRange(
    'sequential',
    `the ${what}${at(ctx)} must hold ${length} layers, got ${tree.layers.length}`,
    'pass what init of this model made',
  )
}

function initialize(
  layers: readonly AnyLayer[],
  key: Key,
  inputShape: Shape,
): { params: Listed; state: Listed; outputShape: Shape } {
  const params: unknown[] = []
  const state: unknown[] = []
  // What each layer is given, and after them all what comes out.
  const shapes = [inputShape]
  for (const [i, layer] of layers.entries()) {
    const shape = shapes[i]!
    if (layer.inputSize !== undefined && layer.inputSize !== featuresOf(shape)) {
      failRange(
        'sequential',
        `layer ${i} (${nameOf(layer)}) takes ${layer.inputSize} features, ${source(layers, i, shapes)}`,
        'make the two sizes equal',
      )
    }
    const made = layer.init(foldIn(key, i), shape)
    params.push(made.params)
    state.push(made.state)
    shapes.push(made.outputShape)
  }
  return { params: { layers: params }, state: { layers: state }, outputShape: shapes[layers.length]! }
}

// Layers that take any size and give it again pass on what they got: the one to name stands before them.
function source(layers: readonly AnyLayer[], i: number, shapes: readonly Shape[]): string {
  let from = i - 1
  while (
    from > 0 &&
    layers[from]!.inputSize === undefined &&
    featuresOf(shapes[from]!) === featuresOf(shapes[i]!)
  ) {
    from--
  }
  const before = layers[from]
  if (before === undefined) return `the input has shape ${showShape(shapes[i]!)}`
  return `layer ${from} (${nameOf(before)}) gives ${featuresOf(shapes[i]!) ?? 'a scalar'}`
}

const featuresOf = (shape: Shape): number | undefined => shape[shape.length - 1]
