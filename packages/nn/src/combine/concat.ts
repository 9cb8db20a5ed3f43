import * as t from '@tapeflow/autodiff'
import type { Layer } from '../layer.ts'
import type { Beside, InBeside, Layers } from './beside.ts'
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

/**
 * Layers beside each other, which are all given the same input, and whose outputs are put side by side on the last axis:
 * y = [layer_0(x), layer_1(x), …]. Itself a layer, as in an inception block.
 *
 * Layer i draws its parameters from the key's child i, and its noise from the pass's key's child i.
 *
 * @param layers at least one; they take the same input, and what they give differs in the last axis only
 * @returns a layer that gives as many features as all of them together, with parameters `{ layers: […] }` and state
 * `{ layers: […] }`, one entry for each layer
 * @throws RangeError without layers; in `init` where shapes that come out do not fit: names both layers
 * @throws TypeError when one of them is no layer
 * @example
 * const model = concat([linear(2, 1, { weight: ones }), identity()])
 * const { params, state, outputShape } = model.init(t.key(1), [2])
 * outputShape // => [3]
 * model.apply(params, state, t.tensor([[3, 4]]), { training: true, path: '' }).y.toArray() // => [[7, 3, 4]]
 *
 * Szegedy, Liu, Jia and others: Going deeper with convolutions (CVPR 2015)
 */
export function concat<const L extends Layers>(
  layers: L extends Beside<L> ? L : Beside<L>,
): Layer<LayersParams<L>, LayersState<L>, InBeside<L>>
export function concat(layers: Layers): Layer<Listed, Listed> {
  checkLayers('concat', layers)
  const inputSize = layers.find((layer) => layer.inputSize !== undefined)?.inputSize
  return {
    name: `concat of ${layers.length}`,
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const { params, state, outputShapes } = initializeBeside(layers, key, inputShape)
      const [first] = outputShapes as [t.Shape]
      let features = 0
      for (const [i, shape] of outputShapes.entries()) {
        features += shape[shape.length - 1] ?? Number.NaN
        if (shape.length > 0 && t.sameShape(shape.slice(0, -1), first.slice(0, -1))) continue
        t.failRange(
          'concat',
          `layer ${i} (${nameOf(layers[i]!)}) gives ${t.showShape(shape)}, layer 0 (${nameOf(layers[0])}) gives ${t.showShape(first)}`,
          'make all axes but the last equal',
        )
      }
      return { params, state, outputShape: [...first.slice(0, -1), features] }
    },
    apply: (params, state, x, ctx) => {
      checkTrees('concat', layers, params, state, ctx)
      const run = (): { y: t.Tensor; state: Listed } => {
        const applied = layers.map((_, i) => applyListed(layers, i, params, state, x, ctx))
        return {
          y: t.concat(
            applied.map(({ y }) => y),
            { axis: -1 },
          ),
          state: nextState(state, applied),
        }
      }
      return ctx.tap === undefined ? t.scope(run) : run()
    },
  }
}
