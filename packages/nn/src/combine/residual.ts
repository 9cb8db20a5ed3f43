import * as t from '@tapeflow/autodiff'
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
import type { Chain } from './sizes.ts'
import type { Beside, Joined, Square } from './sizes-beside.ts'

/** Parameters or state of the layer and, where there is one, of the shortcut. */
type Inside<L, S> = {
  readonly layer: L
  readonly shortcut?: S
}

/**
 * A layer that adds what it gets to what a layer makes of it: y = x + f(x). Gradients pass the sum unchanged, so that deep stacks
 * of them train. f must give the shape that it takes; where it does not, a shortcut, such as a linear layer, makes x fit:
 * y = shortcut(x) + f(x).
 *
 * @param layer f: a layer, or a `sequential` of some
 * @param options.shortcut what x passes in its place, left out by default
 * @returns a layer with parameters and state `{ layer }`, or `{ layer, shortcut }`: paths read `layer.weight`
 * @throws RangeError when made, where both take different numbers of features; in `init` and `apply` where the shapes of the sum
 * differ: names both layers
 * @throws TypeError when an argument is no layer
 * @example
 * const block = residual(sequential(linear(2, 3, { weight: ones }), relu(), linear(3, 2, { weight: ones })))
 * const { params, state } = block.init(t.key(1), [2])
 * block.apply(params, state, t.tensor([[1, 2]]), { training: true, path: '' }).y.toArray() // => [[10, 11]]
 *
 * He, Zhang, Ren, Sun: Deep residual learning for image recognition (CVPR 2016)
 */
export function residual<const L extends AnyLayer>(
  layer: L extends Square<L> ? L : Square<L>,
): Chain<readonly [L], { readonly layer: ParamsOf<L> }, { readonly layer: StateOf<L> }>
export function residual<const L extends AnyLayer, const M extends AnyLayer>(
  layer: L,
  options: { readonly shortcut: M extends Beside<L, M> ? M : Beside<L, M> },
): Joined<
  L,
  M,
  { readonly layer: ParamsOf<L>; readonly shortcut: ParamsOf<M> },
  { readonly layer: StateOf<L>; readonly shortcut: StateOf<M> }
>
export function residual(
  layer: AnyLayer,
  options: { readonly shortcut?: AnyLayer } = {},
): Layer<Inside<unknown, unknown>, Inside<unknown, unknown>> {
  const { shortcut } = t.knownOptions('residual', options, 'shortcut')
  checkLayer('residual', 'the first argument', layer)
  if (shortcut !== undefined) checkLayer('residual', 'the shortcut', shortcut)
  const inputSize = layer.inputSize ?? shortcut?.inputSize
  const other = shortcut?.inputSize
  if (inputSize !== undefined && other !== undefined && inputSize !== other) {
    t.failRange(
      'residual',
      `the layer (${nameOf(layer)}) takes ${inputSize} features, the shortcut (${nameOf(shortcut!)}) ${other}`,
      'make the two sizes equal',
    )
  }
  const checkSum = (given: t.Shape, made: t.Shape, place: string): void => {
    if (t.sameShape(given, made)) return
    const beside = shortcut === undefined ? 'its input is' : `the shortcut (${nameOf(shortcut)}) gives`
    t.failRange(
      'residual',
      `the layer (${nameOf(layer)})${place} gives ${t.showShape(made)}, ${beside} ${t.showShape(given)}`,
      shortcut === undefined ? 'pass a shortcut that gives the same shape' : 'make the two shapes equal',
    )
  }
  type Tree = Inside<unknown, unknown>
  const run = (params: Tree, state: Tree, x: t.Tensor, ctx: Context): Applied<Tree> => {
    const made = applyInner({ layer, name: 'layer' }, params.layer, state.layer, x, ctx)
    const passed =
      shortcut === undefined
        ? { y: x, state: state.shortcut }
        : applyInner({ layer: shortcut, name: 'shortcut' }, params.shortcut, state.shortcut, x, ctx)
    checkSum(passed.y.shape, made.y.shape, at(ctx))
    const isSame = made.state === state.layer && passed.state === state.shortcut
    return {
      y: t.add(passed.y, made.y),
      state: isSame
        ? state
        : { layer: made.state, ...(shortcut !== undefined && { shortcut: passed.state }) },
    }
  }
  return {
    name: `residual ${nameOf(layer)}`,
    config: { type: 'residual', layer, shortcut },
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const made = layer.init(t.foldIn(key, 'layer'), inputShape)
      const passed = shortcut?.init(t.foldIn(key, 'shortcut'), inputShape)
      checkSum(passed?.outputShape ?? inputShape, made.outputShape, '')
      return {
        params: { layer: made.params, ...(passed && { shortcut: passed.params }) },
        state: { layer: made.state, ...(passed && { shortcut: passed.state }) },
        outputShape: made.outputShape,
      }
    },
    apply: (params, state, x, ctx) => scopeUnlessTapped(ctx, () => run(params, state, x, ctx)),
    upTo: (_path, inside) =>
      inside({ layer, name: 'layer' }) ?? (shortcut && inside({ layer: shortcut, name: 'shortcut' })),
  }
}
