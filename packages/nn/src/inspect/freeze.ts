import * as t from '@tapeflow/autodiff'
import { checkLayer } from '../combine/check-layer.ts'
import type { Chain } from '../combine/sizes.ts'
import { type AnyLayer, type Layer, nameOf, type ParamsOf, type StateOf } from '../layer.ts'
import { type Gapped, merge, partition } from './partition.ts'
import { applyUpTo } from './up-to.ts'

/** State of a layer of which a part is frozen: that part of its parameters, with null in the place of the others, and its own state. */
export type FrozenState<P, S> = { readonly frozen: Gapped<P>; readonly state: S }

/** A layer of which a part is frozen: null stands in its parameters where they are. */
export type Frozen<L extends AnyLayer> = Chain<
  readonly [L],
  Gapped<ParamsOf<L>>,
  FrozenState<ParamsOf<L>, StateOf<L>>
>

/** How a part of a layer is frozen. */
export interface FreezeOptions {
  /**
   * Whether the layer runs as at inference in training too: dropout drops nothing, and a batch norm keeps to its moving averages.
   * Off by default.
   */
  readonly inference?: boolean
}

/**
 * The same layer, of which some parameters are not trained: they are moved to its state, where no gradient and no optimizer comes,
 * weight decay included, so that they stay bit for bit. No gradient is computed for them; those of what stands before pass through.
 *
 * The paths of what is left, of `tap` and in errors are those of the layer. Other state, such as moving averages, goes on unless
 * `inference` is said. To freeze what was trained: `freeze(startFrom(layer, trained), …)`.
 *
 * @param layer any layer, or a whole model
 * @param isFrozen is asked for each parameter's path, `layers.0.weight`; all are, where it is left out
 * @param options.inference runs the layer as at inference; false by default
 * @returns a layer with parameters like the layer's, null where they are frozen, and state `{ frozen, state }`
 * @throws RangeError in `init`, where the layer has parameters and none of them is frozen; TypeError when the first argument is no layer
 * @example
 * const model = freeze(sequential(linear(2, 2), relu(), linear(2, 1)), (path) => path.startsWith('layers.0.'))
 * const { params, state } = model.init(t.key(1), [2])
 * t.paths(params) // => ['layers.2.bias', 'layers.2.weight']
 * t.paths(state.frozen) // => ['layers.0.bias', 'layers.0.weight']
 */
export function freeze<const L extends AnyLayer>(
  layer: L,
  isFrozen?: (path: string) => boolean,
  options?: FreezeOptions,
): Frozen<L>
export function freeze<P, S>(
  layer: Layer<P, S>,
  isFrozen: (path: string) => boolean = () => true,
  options: FreezeOptions = {},
): Layer<Gapped<P>, FrozenState<P, S>> {
  const { inference = false } = t.knownOptions('freeze', options, 'inference')
  checkLayer('freeze', 'the first argument', layer)
  const { inputSize } = layer
  type Apply = Layer<Gapped<P>, FrozenState<P, S>>['apply']
  const frozenIn =
    (apply: Layer<P, S>['apply']): Apply =>
    (params, state, x, ctx) => {
      const told = inference ? { ...ctx, training: false } : ctx
      const { y, state: after } = apply(merge<P>(params, state.frozen), state.state, x, told)
      return { y, state: after === state.state ? state : { frozen: state.frozen, state: after } }
    }
  return {
    name: `freeze ${nameOf(layer)}`,
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const { params, state, outputShape } = layer.init(key, inputShape)
      const { chosen, others } = partition(params, isFrozen)
      const known = t.paths(params)
      if (known.length > 0 && t.leaves(chosen).length === 0) {
        t.failRange('freeze', `no parameter is frozen, of ${known.join(', ')}`, 'choose some of these paths')
      }
      return { params: others, state: { frozen: chosen, state }, outputShape }
    },
    apply: frozenIn((params, state, x, ctx) => layer.apply(params, state, x, ctx)),
    upTo: (path) => {
      const found = applyUpTo(layer, path)
      return found && frozenIn(found as Layer<P, S>['apply'])
    },
  }
}
