import type { AnyLayer, Layer, SizePreserving } from '../layer.ts'

type Io<L> = L extends { readonly '~io'?: infer F } ? NonNullable<F> : never

/** Whether a layer gives as many features as it takes, however many. */
// Only a generic (size: N) => N is assignable to both.
export type Preserves<L> =
  Io<L> extends (size: 1) => 1 ? (Io<L> extends (size: 2) => 2 ? true : false) : false

type Count<N> = N extends number ? N : number
/** How many features a layer takes. */
export type In<L> = Io<L> extends (size: infer I) => number ? Count<I> : number
/** How many features a layer gives; `number` where it gives as many as it takes. */
export type Out<L> = Io<L> extends (size: never) => infer O ? Count<O> : number

/** Whether sizes agree: `number` on either side means that the size is not known until the program runs. */
export type Fits<Given extends number, Taken extends number> = number extends Given | Taken
  ? true
  : Given extends Taken
    ? true
    : false

/** The layers, with the words of the error in the place of each that does not take what the one before gives. */
export type Chained<L extends readonly unknown[], Given extends number = number> = L extends readonly [
  infer First,
  ...infer Rest,
]
  ? Preserves<First> extends true
    ? [First, ...Chained<Rest, Given>]
    : Fits<Given, In<First>> extends true
      ? [First, ...Chained<Rest, Out<First>>]
      : [`takes ${In<First>} features, but the layer before gives ${Given}`, ...Chained<Rest, Out<First>>]
  : L

/** How many features a chain of layers takes: what the first that is not size-preserving takes. */
type InOf<L extends readonly unknown[]> = L extends readonly [infer First, ...infer Rest]
  ? Preserves<First> extends true
    ? InOf<Rest>
    : In<First>
  : number

type OutOf<L extends readonly unknown[]> = L extends readonly [...infer Rest, infer Last]
  ? Preserves<Last> extends true
    ? OutOf<Rest>
    : Out<Last>
  : number

/** Whether all of the layers give as many features as they take. */
export type AllPreserve<L extends readonly unknown[]> = L extends readonly [infer First, ...infer Rest]
  ? Preserves<First> extends true
    ? AllPreserve<Rest>
    : false
  : L extends readonly []
    ? true
    : false

/** A layer with the sizes of a chain of layers. */
export type Chain<L extends readonly AnyLayer[], P, S> =
  AllPreserve<L> extends true ? SizePreserving<P, S> : Layer<P, S, InOf<L>, OutOf<L>>
