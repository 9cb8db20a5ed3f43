import * as t from '@tapeflow/autodiff'
import {
  type AnyLayer,
  type Applied,
  at,
  type Context,
  type Initialized,
  type Layer,
  type SizePreserving,
} from '../layer.ts'
import {
  type Branches,
  type BranchParams,
  type BranchState,
  checkOutputs,
  type Held,
  isList,
  type SideBySide,
  sideBySide,
} from './branches.ts'
import { scopeUnlessTapped } from './scope-unless-tapped.ts'
import type { AllPreserve } from './sizes.ts'
import type { InOfAll, InOfNamed, OutOfEach, SameIn, SameInNamed, SameOut } from './sizes-beside.ts'

/** What layers side by side give: in order, or by name. */
export type Outputs<B extends Branches, T> = { readonly [K in keyof B]: T }

/** Layers side by side, whose outputs stay apart: not a `Layer`, whose output is one tensor, but a `TreeModel`. */
export interface Parallel<B extends Branches, In extends number = number> {
  readonly name: string
  readonly inputSize?: number
  init(
    key: t.Key,
    inputShape: t.Shape,
  ): Pick<Initialized<BranchParams<B>, BranchState<B>>, 'params' | 'state'> & {
    readonly outputShape: Outputs<B, t.Shape>
  }
  apply(
    params: BranchParams<B>,
    state: BranchState<B>,
    x: t.Tensor,
    ctx: Context,
  ): { readonly y: Outputs<B, t.Tensor>; readonly state: BranchState<B> }
  '~io'?(size: In): number
}

/** How outputs of layers side by side become one. */
export interface ParallelOptions {
  /** `'sum'`: y = f_0(x) + f_1(x) + …; left out, outputs stay apart. */
  readonly combine: 'sum'
}

/**
 * Layers side by side: all are given the same input. Their outputs stay apart, in order or by name, as heads of a model are;
 * or are added, and then it is a layer, for which all give the same shape. `concat` joins them.
 *
 * A list draws parameters and noise of layer i from the key's child i, under the paths `layers.i`; layers by name draw them from the
 * child of that name, which is their path too.
 *
 * @param branches a list of layers, or an object of them
 * @param options.combine `'sum'` to add the outputs
 * @returns what has `init` and `apply` as a layer has, with outputs `[y_0, y_1, …]` or `{ name: y, … }`; a layer for `'sum'`
 * @throws RangeError without layers; where two take different numbers of features; for `'sum'` in `init` and `apply` where shapes
 * of outputs differ: names both layers
 * @throws TypeError when one is no layer, and for another word in the place of `'sum'`
 * @example
 * const heads = parallel({ mean: linear(2, 1, { weight: ones }), deviation: sequential(linear(2, 1), softplus()) })
 * const { params, state } = heads.init(t.key(1), [2])
 * t.paths(params) // => ['deviation.layers.0.bias', 'deviation.layers.0.weight', 'mean.bias', 'mean.weight']
 * heads.apply(params, state, t.tensor([[1, 2]]), { training: true, path: '' }).y.mean.toArray() // => [[3]]
 * const sum = parallel([identity(), relu()], { combine: 'sum' })
 * sum.apply({ layers: [null, null] }, { layers: [null, null] }, t.tensor([[-1, 2]]), { training: true, path: '' }).y.toArray() // => [[-1, 4]]
 */
export function parallel<const L extends readonly AnyLayer[]>(
  branches: readonly [...L] & SameIn<L>,
): Parallel<L, InOfAll<L>>
export function parallel<const L extends readonly AnyLayer[]>(
  branches: readonly [...L] & SameIn<L> & SameOut<L>,
  options: ParallelOptions,
): Summed<L>
export function parallel<const B extends { readonly [name: string]: AnyLayer }>(
  branches: B extends SameInNamed<B> ? B : SameInNamed<B>,
): Parallel<B, InOfNamed<B>>
export function parallel(branches: Branches, options?: ParallelOptions): AnyParallel | Layer<Held, Held> {
  if (options !== undefined) t.knownOptions('parallel', options, 'combine')
  const beside = sideBySide('parallel', branches)
  const words = isList(branches) ? `of ${branches.length}` : Object.keys(branches).join(', ')
  const { inputSize } = beside
  const common = { name: `parallel ${words}`, ...(inputSize === undefined ? {} : { inputSize }) }
  if (options === undefined) return { ...common, ...apart(beside, branches) }
  if (options.combine !== 'sum')
    t.failType('parallel', `combine must be 'sum', got '${String(options.combine)}'`, 'or leave it out')
  if (!isList(branches))
    t.failType(
      'parallel',
      'layers by name cannot be added',
      "pass them in a list: [a, b], { combine: 'sum' }",
    )
  return { ...common, config: { type: 'parallel', layers: beside.layers, combine: 'sum' }, ...summed(beside) }
}

/** Layers in order side by side, their outputs added. */
export type Summed<L extends readonly AnyLayer[]> =
  AllPreserve<L> extends true
    ? SizePreserving<BranchParams<L>, BranchState<L>>
    : Layer<BranchParams<L>, BranchState<L>, InOfAll<L>, OutOfEach<L, InOfAll<L>>>

type Several<T> = readonly T[] | { readonly [name: string]: T }
interface AnyParallel {
  init(key: t.Key, inputShape: t.Shape): { params: Held; state: Held; outputShape: Several<t.Shape> }
  apply(params: Held, state: Held, x: t.Tensor, ctx: Context): { y: Several<t.Tensor>; state: Held }
}

function apart(beside: SideBySide, branches: Branches): AnyParallel {
  const names = Object.keys(branches)
  const several = <T>(values: readonly T[]): Several<T> =>
    isList(branches) ? values : Object.fromEntries(values.map((value, i) => [names[i]!, value]))
  return {
    init: (key, inputShape) => {
      const { params, state, outputShapes } = beside.init(key, inputShape)
      return { params, state, outputShape: several(outputShapes) }
    },
    apply: (params, state, x, ctx) => {
      const { outputs, state: after } = beside.apply(params, state, x, ctx)
      return { y: several(outputs), state: after }
    },
  }
}

function summed(beside: SideBySide): Pick<Layer<Held, Held>, 'init' | 'apply' | 'upTo'> {
  const run = (params: Held, state: Held, x: t.Tensor, ctx: Context): Applied<Held> => {
    const { outputs, state: after } = beside.apply(params, state, x, ctx)
    const shapes = outputs.map(({ shape }) => shape)
    checkOutputs('parallel', beside.layers, shapes, null, at(ctx))
    return { y: outputs.reduce((sum, y) => t.add(sum, y)), state: after }
  }
  return {
    init: (key, inputShape) => {
      const { params, state, outputShapes } = beside.init(key, inputShape)
      checkOutputs('parallel', beside.layers, outputShapes, null)
      return { params, state, outputShape: outputShapes[0]! }
    },
    apply: (params, state, x, ctx) => scopeUnlessTapped(ctx, () => run(params, state, x, ctx)),
    upTo: (path, inside) => beside.upTo(path, inside),
  }
}
