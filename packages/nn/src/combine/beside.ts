import type { AnyLayer } from '../layer.ts'
import type { Fits, In, Out, Preserves } from './sizes.ts'

/** How many features layers beside each other take: what the first that is not size-preserving takes. */
export type InBeside<L extends readonly unknown[]> = L extends readonly [infer First, ...infer Rest]
  ? Preserves<First> extends true
    ? InBeside<Rest>
    : number extends In<First>
      ? InBeside<Rest>
      : In<First>
  : number

/** Layers with the words of the error in the place of each that takes another number of features than one before it. */
export type Beside<L extends readonly unknown[], Taken extends number = InBeside<L>> = {
  [K in keyof L]: Preserves<L[K]> extends true
    ? L[K]
    : Fits<Taken, In<L[K]>> extends true
      ? L[K]
      : `takes ${In<L[K]>} features, but a layer beside it takes ${Taken}`
}

/** How many features a layer gives that is given `Given`. */
export type OutGiven<L, Given extends number> = Preserves<L> extends true ? Given : Out<L>

/** Layers beside each other. */
export type Layers = readonly [AnyLayer, ...AnyLayer[]]
