import * as t from '@tapeflow/autodiff'
import { at, type Layer } from '../layer.ts'
import type { Beside, InBeside, Layers, OutGiven } from './beside.ts'
import {
  applyListed,
  checkLayers,
  checkTrees,
  initializeBeside,
  type LayersParams,
  type LayersState,
  type Listed,
  nameOf,
  nextState,
} from './listed.ts'

/** How outputs of one shape become one output, element by element. */
export type Join = 'sum' | 'mean' | 'product' | 'max'

/** What becomes of the outputs. */
export interface ParallelOptions {
  /** `'sum'` by default. */
  readonly join?: Join
}

const joins: Readonly<Record<Join, (outputs: readonly t.Tensor[]) => t.Tensor>> = {
  sum: (outputs) => outputs.reduce((a, b) => t.add(a, b)),
  mean: (outputs) => t.div(joins.sum(outputs), outputs.length),
  product: (outputs) => outputs.reduce((a, b) => t.mul(a, b)),
  max: (outputs) => outputs.reduce((a, b) => t.maximum(a, b)),
}

/**
 * Layers beside each other, which are all given the same input, and whose outputs are added up: y = sum of layer_i(x). Itself a layer.
 * To have their outputs side by side there is `concat`; for several inputs, write a function of layers.
 *
 * Layer i draws its parameters from the key's child i, and its noise from the pass's key's child i.
 *
 * @param layers at least one; they take the same input, and give the same shape
 * @param options.join `'sum'` (default), `'mean'`, `'product'` or `'max'`, element by element
 * @returns a layer with parameters `{ layers: […] }` and state `{ layers: […] }`, one entry for each layer
 * @throws RangeError without layers, for another join; in `init` where shapes that come out differ: names both layers
 * @throws TypeError when one of them is no layer
 * @example
 * const model = parallel([linear(2, 1, { weight: ones }), linear(2, 1, { weight: zeros, bias: ones })])
 * const { params, state } = model.init(t.key(1), [2])
 * t.paths(params) // => ['layers.0.bias', 'layers.0.weight', 'layers.1.bias', 'layers.1.weight']
 * model.apply(params, state, t.tensor([[3, 4]]), { training: true, path: '' }).y.toArray() // => [[8]]
 */
export function parallel<const L extends Layers>(
  layers: L extends Beside<L> ? L : Beside<L>,
  options?: ParallelOptions,
): Layer<LayersParams<L>, LayersState<L>, InBeside<L>, OutGiven<L[0], InBeside<L>>>
export function parallel(layers: Layers, options: ParallelOptions = {}): Layer<Listed, Listed> {
  checkLayers('parallel', layers)
  const { join = 'sum' } = options
  if (!Object.hasOwn(joins, join)) {
    t.failRange('parallel', `there is no join '${String(join)}'`, `use ${Object.keys(joins).join(', ')}`)
  }
  const inputSize = layers.find((layer) => layer.inputSize !== undefined)?.inputSize
  return {
    name: `parallel of ${layers.length}`,
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const { params, state, outputShapes } = initializeBeside(layers, key, inputShape)
      const [outputShape] = outputShapes as [t.Shape]
      for (const [i, shape] of outputShapes.entries()) {
        if (t.sameShape(shape, outputShape)) continue
        t.failRange(
          'parallel',
          `layer ${i} (${nameOf(layers[i]!)}) gives ${t.showShape(shape)}, layer 0 (${nameOf(layers[0])}) gives ${t.showShape(outputShape)}`,
          'make the shapes equal, or put them side by side with concat',
        )
      }
      return { params, state, outputShape }
    },
    apply: (params, state, x, ctx) => {
      checkTrees(`parallel${at(ctx)}`, layers, params, state, ctx)
      const run = (): { y: t.Tensor; state: Listed } => {
        const applied = layers.map((_, i) => applyListed(layers, i, params, state, x, ctx))
        return { y: joins[join](applied.map(({ y }) => y)), state: nextState(state, applied) }
      }
      return ctx.tap === undefined ? t.scope(run) : run()
    },
  }
}
