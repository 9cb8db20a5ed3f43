import * as t from '@tapeflow/autodiff'
import type { AnyLayer, Applied, Layer, ParamsOf, SizePreserving, StateOf } from '../layer.ts'
import { isLayer, nameOf } from './listed.ts'
import { part } from './part.ts'
import type { In, Out, Preserves } from './sizes.ts'

/** A layer around which there is a way for what it is given. */
type Sized<L, P, S> = Preserves<L> extends true ? SizePreserving<P, S> : Layer<P, S, In<L>, Out<L>>

/** What goes around the layer. */
export interface ResidualOptions<Q extends AnyLayer> {
  /** A layer that brings the input into the shape of what comes out, where they differ: a `linear` or a `conv2d` of size 1. */
  readonly shortcut: Q
}

/**
 * A layer and a way around it: y = x + layer(x), or shortcut(x) + layer(x). Itself a layer. A gradient passes the sum
 * undiminished, so that nets of many such layers learn.
 *
 * @param layer gives the shape that it takes, unless there is a shortcut
 * @param options.shortcut brings x into the shape that `layer` gives; x itself where it is left out
 * @returns a layer with parameters `{ layer }` and state `{ layer }`; `{ layer, shortcut }` where there is a shortcut
 * @throws TypeError when an argument is no layer
 * @throws RangeError in `init` where the shapes to be added differ: names both
 * @example
 * const model = residual(linear(2, 2, { weight: ones }))
 * const { params, state } = model.init(t.key(1), [2])
 * t.paths(params) // => ['layer.bias', 'layer.weight']
 * model.apply(params, state, t.tensor([[3, 4]]), { training: true, path: '' }).y.toArray() // => [[10, 11]]
 *
 * He, Zhang, Ren, Sun: Deep residual learning for image recognition (CVPR 2016)
 */
export function residual<L extends AnyLayer>(
  layer: L,
): Sized<L, { readonly layer: ParamsOf<L> }, { readonly layer: StateOf<L> }>
export function residual<L extends AnyLayer, Q extends AnyLayer>(
  layer: L,
  options: ResidualOptions<Q>,
): Sized<
  L,
  { readonly layer: ParamsOf<L>; readonly shortcut: ParamsOf<Q> },
  { readonly layer: StateOf<L>; readonly shortcut: StateOf<Q> }
>
export function residual(layer: AnyLayer, options?: ResidualOptions<AnyLayer>): Layer<Parts, Parts> {
  const shortcut = options?.shortcut
  for (const [what, given] of Object.entries({ layer, ...options })) {
    if (!isLayer(given)) t.failType('residual', `the ${what} is no layer, got ${t.kindOf(given)}`)
  }
  const { inputSize } = layer
  return {
    name: `residual ${nameOf(layer)}`,
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const inner = layer.init(t.foldIn(key, 'layer'), inputShape)
      const around = shortcut?.init(t.foldIn(key, 'shortcut'), inputShape)
      const shape = around?.outputShape ?? inputShape
      if (!t.sameShape(inner.outputShape, shape)) {
        const other = shortcut === undefined ? 'the input has' : `the shortcut (${nameOf(shortcut)}) gives`
        t.failRange(
          'residual',
          `the layer (${nameOf(layer)}) gives ${t.showShape(inner.outputShape)}, ${other} ${t.showShape(shape)}`,
          'make them equal, or pass a shortcut: residual(layer, { shortcut: linear(…) })',
        )
      }
      if (around === undefined) {
        return { params: { layer: inner.params }, state: { layer: inner.state }, outputShape: shape }
      }
      return {
        params: { layer: inner.params, shortcut: around.params },
        state: { layer: inner.state, shortcut: around.state },
        outputShape: shape,
      }
    },
    apply: (params, state, x, ctx) => {
      const run = (): Applied<Parts> => {
        let next = state
        const through = (name: 'layer' | 'shortcut', one: AnyLayer): t.Tensor =>
          part(ctx, name, (inner) => {
            const applied = one.apply(params[name], state[name], x, inner)
            if (applied.state !== state[name]) next = { ...next, [name]: applied.state }
            return applied.y
          })
        const y = through('layer', layer)
        return { y: t.add(shortcut === undefined ? x : through('shortcut', shortcut), y), state: next }
      }
      return ctx.tap === undefined ? t.scope(run) : run()
    },
  }
}

type Parts = { readonly layer: unknown; readonly shortcut?: unknown }
