import * as t from '@tapeflow/autodiff'
import { type AnyLayer, type Applied, at, type Context, type Layer, nameOf } from '../layer.ts'
import { type BranchParams, type BranchState, checkOutputs, type Held, sideBySide } from './branches.ts'
import { scopeUnlessTapped } from './scope-unless-tapped.ts'
import type { Given, InOfAll, SameIn } from './sizes-beside.ts'
import type { SumOfSizes } from './sum-of-sizes.ts'

type OutOfAll<L extends readonly unknown[], N extends number> = L extends readonly [
  infer First,
  ...infer Rest,
]
  ? SumOfSizes<Given<First, N>, OutOfAll<Rest, N>>
  : L extends readonly []
    ? 0
    : number

/** Layers side by side, joined on the last axis. */
export type Concat<L extends readonly AnyLayer[]> = Layer<
  BranchParams<L>,
  BranchState<L>,
  InOfAll<L>,
  OutOfAll<L, InOfAll<L>>
>

/**
 * Layers side by side, whose outputs are joined along the last axis: y = [f_0(x), f_1(x), …]. All are given the same input; they
 * give as many features as all of them together. Other axes agree.
 *
 * Layer i draws its parameters, and its noise, from the key's child i; its output is handed to `ctx.tap` under the path `layers.i`.
 *
 * @param layers at least one
 * @returns a layer with parameters `{ layers: […] }` and state `{ layers: […] }`, one entry for each layer
 * @throws RangeError without layers; where two take different numbers of features; in `init` and `apply` when shapes of outputs
 * differ on another axis than the last: names both layers; in `init` when they give scalars
 * @throws TypeError when an argument is no layer
 * @example
 * const both = concat(identity(), linear(2, 1, { weight: ones }))
 * const { params, state, outputShape } = both.init(t.key(1), [2])
 * outputShape // => [3]
 * both.apply(params, state, t.tensor([[1, 2]]), { training: true, path: '' }).y.toArray() // => [[1, 2, 3]]
 */
export function concat<const L extends readonly AnyLayer[]>(
  ...layers: L extends SameIn<L> ? L : SameIn<L>
): Concat<L>
export function concat(...layers: readonly AnyLayer[]): Layer<Held, Held> {
  const beside = sideBySide('concat', layers)
  const { inputSize, upTo } = beside
  const run = (params: Held, state: Held, x: t.Tensor, ctx: Context): Applied<Held> => {
    const { outputs, state: after } = beside.apply(params, state, x, ctx)
    const shapes = outputs.map(({ shape }) => shape)
    checkOutputs('concat', layers, shapes, -1, at(ctx))
    return { y: t.concat(outputs, { axis: -1 }), state: after }
  }
  return {
    name: `concat of ${layers.length}`,
    config: { type: 'concat', layers },
    ...(inputSize === undefined ? {} : { inputSize }),
    init: (key, inputShape) => {
      const { params, state, outputShapes } = beside.init(key, inputShape)
      checkOutputs('concat', layers, outputShapes, -1)
      if (outputShapes[0]!.length === 0) {
        t.failRange(
          'concat',
          `layer 0 (${nameOf(layers[0]!)}) gives scalars, which have no axis to be joined on`,
          'give them an axis: [1]',
        )
      }
      const size = outputShapes.reduce((sum, shape) => sum + shape.at(-1)!, 0)
      return { params, state, outputShape: [...outputShapes[0]!.slice(0, -1), size] }
    },
    apply: (params, state, x, ctx) => scopeUnlessTapped(ctx, () => run(params, state, x, ctx)),
    upTo,
  }
}
