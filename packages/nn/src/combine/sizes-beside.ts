import type { Layer, SizePreserving } from '../layer.ts'
import type { Fits, In, Out, Preserves } from './sizes.ts'

type Known<A extends number, B extends number> = number extends A ? B : A

/** The layer, or the words of the error where it gives another number of features than it takes. */
export type Square<L> =
  Preserves<L> extends true
    ? L
    : Fits<Out<L>, In<L>> extends true
      ? L
      : `takes ${In<L>} features, but gives ${Out<L>}`

/** The second layer, or the words of the error where it takes or gives other numbers of features than the first. */
export type Beside<L, M> =
  Fits<In<L>, In<M>> extends true
    ? Fits<Given<L, In<M>>, Given<M, In<L>>> extends true
      ? M
      : `gives ${Given<M, In<L>>} features, but the one beside it ${Given<L, In<M>>}`
    : `takes ${In<M>} features, but the one beside it ${In<L>}`

/** How many features a layer gives when it is given `N`. */
export type Given<L, N extends number> = Preserves<L> extends true ? N : Out<L>

/** A layer with the sizes of two that stand side by side and give as many features. */
export type Joined<L, M, P, S> =
  Preserves<L> extends true
    ? Preserves<M> extends true
      ? SizePreserving<P, S>
      : Layer<P, S, In<M>, Out<M>>
    : Layer<P, S, Known<In<L>, In<M>>, Known<Out<L>, Given<M, In<L>>>>

/** How many features layers side by side take: what the first says that is not size-preserving. */
export type InOfAll<L extends readonly unknown[]> = L extends readonly [infer First, ...infer Rest]
  ? Known<In<First>, InOfAll<Rest>>
  : number

/** The layers, with the words of the error in the place of each that takes another number of features than those before it. */
export type SameIn<L extends readonly unknown[], N extends number = number> = L extends readonly [
  infer First,
  ...infer Rest,
]
  ? Fits<N, In<First>> extends true
    ? [First, ...SameIn<Rest, Known<N, In<First>>>]
    : [`takes ${In<First>} features, but the one before it ${N}`, ...SameIn<Rest, N>]
  : L

type KnownIns<B> = { [K in keyof B]: number extends In<B[K]> ? never : In<B[K]> }[keyof B]

/** How many features layers by name take: what all say that are not size-preserving. */
export type InOfNamed<B> = [KnownIns<B>] extends [never] ? number : KnownIns<B>

/** As `SameIn`, for layers by name. */
export type SameInNamed<B> = {
  [K in keyof B]: number extends In<B[K]>
    ? B[K]
    : [KnownIns<B>] extends [In<B[K]>]
      ? B[K]
      : `takes ${In<B[K]>} features, others beside it do not`
}

/** How many features each of the layers side by side gives, where that is the same. */
export type OutOfEach<L extends readonly unknown[], N extends number> = L extends readonly [
  infer First,
  ...infer Rest,
]
  ? Known<Given<First, N>, OutOfEach<Rest, N>>
  : number

/** The layers, with the words of the error in the place of each that gives another number of features than those before it. */
export type SameOut<
  L extends readonly unknown[],
  N extends number = InOfAll<L>,
  M extends number = number,
> = L extends readonly [infer First, ...infer Rest]
  ? Fits<M, Given<First, N>> extends true
    ? [First, ...SameOut<Rest, N, Known<M, Given<First, N>>>]
    : [`gives ${Given<First, N>} features, but the one before it ${M}`, ...SameOut<Rest, N, M>]
  : L
