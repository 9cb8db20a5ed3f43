import * as t from '@tapeflow/autodiff'
import { checkLayer } from '../combine/check-layer.ts'
import { scopeUnlessTapped } from '../combine/scope-unless-tapped.ts'
import type { In } from '../combine/sizes.ts'
import { type AnyLayer, type Layer, nameOf, type ParamsOf, type StateOf } from '../layer.ts'
import { rowsOfState } from './rows-of-state.ts'
import { applyUpTo, failMissing } from './up-to.ts'

/**
 * The output of a layer inside a model, as a layer: what the model computes up to there. Its parameters and state are those of the
 * whole model, so that it takes what was trained. Layers behind it are not run; state of those before it goes on.
 *
 * A pre-activation is the output of the layer before the activation. Layers that are no combinators of this package are run
 * whole, and what they hand to `ctx.tap` under the path is taken.
 *
 * @param model a combinator: `sequential(…)`
 * @param path where the layer stands: `layers.2`, `layers.0.layer.layers.1`
 * @returns a layer with the parameters and state of the model
 * @throws RangeError where there is no layer at the path; where only a pass can tell, in `init` and `apply`
 * @throws TypeError when the first argument is no layer
 * @example
 * const model = sequential(linear(2, 3, { weight: ones }), relu(), linear(3, 1))
 * const { params, state } = model.init(t.key(1), [2])
 * const hidden = features(model, 'layers.1')
 * hidden.apply(params, state, t.tensor([[1, 2]]), { training: false, path: '' }).y.toArray() // => [[3, 3, 3]]
 */
export function features<const L extends AnyLayer>(
  model: L,
  path: string,
): Layer<ParamsOf<L>, StateOf<L>, In<L>>
export function features<P, S>(model: Layer<P, S>, path: string): Layer<P, S> {
  checkLayer('features', 'the first argument', model)
  const found = applyUpTo(model, path) ?? failMissing(model, path)
  const upTo = found as Layer<P, S>['apply']
  const apply: typeof upTo = (params, state, x, ctx) =>
    scopeUnlessTapped(ctx, () => upTo(params, state, x, ctx))
  const { inputSize } = model
  return {
    name: `${nameOf(model)} up to ${path}`,
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const { params, state } = model.init(key, inputShape)
      const shape = t.evalShape(
        (x: t.Tensor) => apply(params, state, x, { training: false, path: '' }).y,
        [rowsOfState(state), ...inputShape],
      )
      return { params, state, outputShape: shape.slice(1) }
    },
    apply,
  }
}
