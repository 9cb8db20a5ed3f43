import type { Key, Replaced, Shape, Tensor } from '@tapeflow/autodiff'

/** A layer that was applied inside of a combinator, with what it was given beside its input. */
export interface Tapped {
  readonly layer: { readonly name?: string }
  readonly params: unknown
  readonly state: unknown
}

/** Is handed the output of a layer, under the layer's path; combinators of this package say as well which layer it is. */
export type Tap = (path: string, x: Tensor, from?: Tapped) => void

/** What a layer's `apply` is told beside its numbers. */
export interface Context {
  /** Whether this pass trains: dropout drops, batch norm uses the batch's own statistics. */
  readonly training: boolean
  /** The key of this pass at this layer: what noise is drawn from. Layers without noise need none. */
  readonly key?: Key
  /** Where the layer stands in the model: `layers.0`; empty for the model itself. */
  readonly path: string
  /**
   * Called with the output of every layer inside a combinator, under the layer's path. A pre-activation is the output of the layer
   * before the activation. What is tapped is not freed: its reader may come later.
   */
  readonly tap?: Tap
}

/** What `init` makes: trainable parameters, state that training moves but gradients do not, and the shape that comes out. */
export interface Initialized<P, S> {
  readonly params: P
  readonly state: S
  readonly outputShape: Shape
}

/** What `apply` returns. */
export interface Applied<S> {
  readonly y: Tensor
  readonly state: S
}

/** What an option of a layer may be in a file: plain data, and layers. An option that is undefined is left out. */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | AnyLayer
  | readonly ConfigValue[]
  | { readonly [option: string]: ConfigValue }

/** What a layer was made from: under `type` the name by which a file calls its kind, beside it the options. */
export type LayerConfig = { readonly type: string; readonly [option: string]: ConfigValue }

/**
 * A layer: a pair of pure functions, and nothing that changes. Parameters and state are trees that the caller holds.
 *
 * @typeParam P parameters, the tree that is trained; null where there are none. A type alias, not an interface: only those are trees to TypeScript
 * @typeParam S state: moving averages and the like; null where there is none
 * @typeParam In how many features it takes: the size of the last axis, `number` where that is not known
 * @typeParam Out how many it gives
 * @example
 * const scale = {
 *   name: 'scale',
 *   init: (key, inputShape) => ({ params: { factor: t.tensor(2) }, state: null, outputShape: inputShape }),
 *   apply: (params, state, x) => ({ y: t.mul(x, params.factor), state }),
 * }
 * const { params, state } = scale.init(t.key(1), [2])
 * scale.apply(params, state, t.tensor([[1, 5]]), { training: false, path: '' }).y.toArray() // => [[2, 10]]
 */
export interface Layer<P, S, In extends number = number, Out extends number = number> {
  /** The words for it in an error: `linear 784 -> 128`. */
  readonly name?: string
  /** The size of the last axis that it takes, where there is only one. */
  readonly inputSize?: number
  /**
   * What it was made from, so that a model's file can make it again (`toModelFile` of `@tapeflow/nn/model`): all that `apply`
   * depends on. Initializers are none of it. A layer without it cannot be saved, its parameters can.
   */
  readonly config?: LayerConfig
  /**
   * Draws parameters. The same key gives the same numbers.
   *
   * @param inputShape of one sample, without the axis of the batch: `[784]`
   * @throws RangeError when the layer does not take samples of that shape
   */
  init(key: Key, inputShape: Shape): Initialized<P, S>
  /**
   * The layer's output, and the state after it: the same object where nothing changed.
   *
   * @param x `[rows, …sample]`
   */
  apply(params: P, state: S, x: Tensor, ctx: Context): Applied<S>
  /**
   * Combinators have it, for `features`: an `apply` that gives the output of the layer at `path` inside, and runs none behind it.
   * Undefined where there is no such layer.
   *
   * @param inside the same for an inner layer alone, on the combinator's own trees
   */
  upTo?(path: string, inside: Inside): Layer<P, S>['apply'] | undefined
  // A method, so that a layer of known sizes is a layer of unknown ones.
  /** Only for the type checker: with it `sequential` refuses 128 -> 64. Never there at run time. */
  '~io'?(size: In): Out
}

/** A layer inside of another, and where it stands there. */
export interface Inner<P, S> {
  readonly layer: Layer<P, S>
  /** Under which its parameters are kept: `layers`, `shortcut`. */
  readonly name: string
  /** Which one, where there are several under that name. */
  readonly index?: number
}

/** What `upTo` is handed: undefined where the path does not lead to this inner layer, or there is none at its end. */
export type Inside = <T extends object>(inner: Inner<unknown, unknown>) => Layer<T, T>['apply'] | undefined

/** A layer that gives as many features as it takes, however many: sizes are checked through it. */
export interface SizePreserving<P, S> extends Layer<P, S> {
  '~io'?<N extends number>(size: N): N
}

/** Any layer: what combinators accept. */
export type AnyLayer = Layer<unknown, unknown>

/**
 * A model of several inputs or outputs: as a layer, but what goes in and what comes out are trees of tensors. A layer is one too.
 *
 * @typeParam P parameters
 * @typeParam S state
 * @typeParam X what goes in: `{ left: Tensor, right: Tensor }`
 * @typeParam Y what comes out
 */
export interface TreeModel<P, S, X, Y> {
  readonly name?: string
  /** @param inputShape of one sample, for each tensor that goes in */
  init(key: Key, inputShape: Replaced<X, Shape>): Pick<Initialized<P, S>, 'params' | 'state'>
  apply(params: P, state: S, x: X, ctx: Context): { readonly y: Y; readonly state: S }
}

type Made<L> = L extends { init(key: Key, inputShape: never): infer I } ? I : never

/** The parameters of a layer or model: `ParamsOf<typeof model>`. */
export type ParamsOf<L> = Made<L> extends { readonly params: infer P } ? P : never

/** The state of a layer or model: `StateOf<typeof model>`. */
export type StateOf<L> = Made<L> extends { readonly state: infer S } ? S : never

/** Where a layer stands, in the words of an error: ` at 'layers.0'`, nothing for the model itself. */
export function at(ctx: Context): string {
  return ctx.path === '' ? '' : ` at '${ctx.path}'`
}

/** The words for a layer in an error. */
export function nameOf(layer: { readonly name?: string }): string {
  return layer.name ?? 'unnamed'
}
